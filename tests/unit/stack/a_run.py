"""A run that has published a day of figures as long as figures can be."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from tests.samples import PLANNED_AT, counts, header, plan, prove
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.run.figures import DayKpis
from trip_kpis.core.run.manifest import Finished
from trip_kpis.core.run.publication import Outcome, Publication

DAY = DayKpis(
    day=date(2024, 5, 25),
    trip_count=2,
    total_fare=Decimal("123456789012345678.123456789012345678"),
    min_fare=Decimal("-999999999.999999999999999999"),
    max_fare=Decimal("999999999.999999999999999999"),
)


def a_run(outcome: Outcome = Outcome.PUBLISHED) -> Finished:
    """Of two segments, with the one day's outcome."""
    of = plan(total_segments=2)
    part = header(plan_sha256=of.sha256)
    first = counts(counted=3, incomplete=4, **{Reason.TIME_MISSING: 2})
    headers = [
        replace(part, counts=first, quarantine_key="q"),
        replace(part, segment=1, counts=counts(counted=0)),
    ]
    return Finished(
        plan=of,
        proof=prove(of, headers),
        days=[DAY],
        publication=Publication(outcomes={DAY.day: outcome}),
        finished_at=PLANNED_AT + timedelta(seconds=90),
    )
