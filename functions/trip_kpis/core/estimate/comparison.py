"""Compares a run with each source: cost, duration, the instant of its figures, and which source
fits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.plan_notes import Advice
from trip_kpis.core.estimate.planning import forecast, make_plan
from trip_kpis.core.prices import recovery_usd_a_month, usd_text
from trip_kpis.core.run.plan import EXPORT, SCAN, Plan, RunDefaults
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription

LONG_RUN_SECONDS = 24 * 3600
"""Above this, a nightly run has not finished when the next one begins."""

_EXPORT_TAKES = "minutes to hours"
"""AWS says only that the duration of an export depends on the table's size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSource:
    """A run with one of the two sources."""

    usd: float
    """total cost"""
    read_units: int
    """read units that the table is read with"""
    waits: str
    """what the workers wait for before they begin, and cannot be calculated; empty: nothing"""
    seconds_at_least: int
    """seconds of the workers"""
    exact: str
    """what the figures are as of"""
    needs: str
    """what must be enabled"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The plan of the requested run, and that of the same run with the other source."""

    asked: Plan
    other: Plan
    recovery: bool | None
    """whether the table's point-in-time recovery is on; None: not known"""

    @classmethod
    def of(
        cls,
        request: RunRequest,
        defaults: RunDefaults,
        table: TableDescription,
        *,
        recovery: bool | None,
        now: datetime,
        terms: EstimateTerms,
        lambda_limit: int | None,
    ) -> Self:
        """Compares the plan with a run of the other source, which has the stack's parameters.
        Raises what `make_plan` raises."""
        asked = make_plan(request, defaults, table, now=now, terms=terms, lambda_limit=lambda_limit)
        otherwise = replace(
            request,
            source=EXPORT if asked.source == SCAN else SCAN,
            read_units_per_second=None,
            consistent_read=None,
            export_arn=None,
            export_manifest=None,
        )
        other = make_plan(
            otherwise, defaults, table, now=now, terms=terms, lambda_limit=lambda_limit
        )
        return cls(asked=asked, other=other, recovery=recovery)

    @property
    def scan(self) -> Plan:
        return self.asked if self.asked.source == SCAN else self.other

    @property
    def export(self) -> Plan:
        return self.asked if self.asked.source == EXPORT else self.other

    def compared(self, terms: EstimateTerms, *, rejected_trips: float) -> dict[str, OfSource]:
        """Returns the comparison by the names of the sources."""
        return {
            SCAN: _of(
                self.scan, terms, rejected_trips, waits="", exact="no snapshot", needs="nothing"
            ),
            EXPORT: _of(
                self.export,
                terms,
                rejected_trips,
                waits=_EXPORT_TAKES if self.export.makes_export else "",
                exact="as of one instant",
                needs=self._needs,
            ),
        }

    def which_fits(self, compared: Mapping[str, OfSource]) -> Advice:
        """Returns the source that fits: a scan, which costs a fraction of an export, unless it
        takes more than a day, or there is an export already."""
        scan, export = compared[SCAN], compared[EXPORT]
        if self.export.makes_export and scan.seconds_at_least <= LONG_RUN_SECONDS:
            return Advice(
                code="scan",
                text=f"A scan fits this table: it costs {usd_text(scan.usd)} USD. A run with an "
                f"export costs {usd_text(export.usd)} USD, and waits {_EXPORT_TAKES} for it. Use "
                "an export (--source export, or the stack's Source) if the figures must be as of "
                f"one instant, or if the table has no read units to spare.{self._recovery}",
            )
        if not self.export.makes_export:
            why = (
                "The export that is named fits: it takes no read units, costs no more than to "
                "read it, and its figures are as of one instant."
            )
        else:
            why = (
                f"An export fits this table: a scan takes {scan.seconds_at_least / 3600:,.0f} "
                f"hours, while the table changes, and costs {usd_text(scan.usd)} USD. A run with "
                f"an export costs {usd_text(export.usd)} USD, takes no read units, and its figures "
                f"are as of one instant.{self._recovery} Use --source export, or the stack's "
                "Source. Or give the scan a larger read_units_per_second or max_concurrency, as "
                "far as the table can bear it."
            )
        return Advice(code="export", text=why)

    @property
    def _needs(self) -> str:
        if not self.export.makes_export:
            return "nothing"
        state = {True: "is on", False: "is off", None: "may be on or off: not known"}
        return f"point-in-time recovery, which {state[self.recovery]}"

    @property
    def _recovery(self) -> str:
        """Returns what to say about point-in-time recovery; nothing if it is on."""
        usd = usd_text(recovery_usd_a_month(self.export.estimate.table_bytes))
        if self.recovery is None:
            return (
                " It needs point-in-time recovery; whether that is on is not known "
                "(dynamodb:DescribeContinuousBackups was refused or not answered). It costs "
                f"{usd} USD a month."
            )
        if not self.recovery:
            return (
                f" It needs point-in-time recovery, which is off, and costs {usd} USD a month "
                "(aws dynamodb update-continuous-backups turns it on)."
            )
        return ""


def _of(
    plan: Plan,
    terms: EstimateTerms,
    rejected_trips: float,
    *,
    waits: str,
    exact: str,
    needs: str,
) -> OfSource:
    expected = forecast(plan, terms, rejected_trips=rejected_trips)
    cost = expected.cost(usd_per_read_unit=plan.estimate.usd_per_read_unit)
    return OfSource(
        usd=round(cost.total, 6),
        read_units=plan.estimate.read_units,
        waits=waits,
        seconds_at_least=expected.seconds,
        exact=exact,
        needs=needs,
    )
