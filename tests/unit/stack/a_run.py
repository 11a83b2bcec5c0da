"""A run that has published a day of figures as long as figures can be."""

from dataclasses import replace
from datetime import date, timedelta

from tests.samples import PLANNED_AT, counts, day_kpis, header, plan, prove
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.run.figures import Published
from trip_kpis.core.run.manifest import Finished
from trip_kpis.core.run.publication import Outcome, Publication

DAY = day_kpis(
    date(2024, 5, 25),
    trips=2,
    total="123456789012345678.123456789012345678",
    low="-999999999.999999999999999999",
    high="999999999.999999999999999999",
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
        figures=Published(days=[DAY], breakdowns={}),
        publication=Publication(outcomes={DAY.day: outcome}),
        breakdowns={},
        finished_at=PLANNED_AT + timedelta(seconds=90),
    )
