"""The days under kpis/, compared with the run's manifest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.runs.day_kpis import day_of, kpi_files, read_kpis
from ops.runs.finished_run import FinishedRun
from trip_kpis.core.run.outcome import Outcome

_OF_THE_RUN = {Outcome.PUBLISHED, Outcome.UNCHANGED, Outcome.SKIPPED}
"""outcomes of a day that the run has left as it is now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day's figures."""

    date: str
    figures: Mapping[str, str]
    """the figures by the KPI's name, each with the text of its kpi.json"""
    outcome: str
    """what became of it in the run, or why it is not a day of the run"""
    is_the_runs: bool
    """whether its bytes are those that the run's manifest names"""
    is_open: bool = False
    """whether it was not over when the run was planned, and no other run has written it since"""


def days(out: Path, run: FinishedRun) -> tuple[Day, ...]:
    """Returns the days in their order. Raises ResultsError for a kpi.json that cannot be read."""
    known = {day.date: day for day in run.days}
    found = []
    for file in kpi_files(out):
        body = file.read_bytes()
        says = known.get(day_of(file))
        as_published = says is not None and says.sha256 == hashlib.sha256(body).hexdigest()
        if says is None:
            outcome = "of another run"
        elif as_published or says.sha256 is None:
            outcome = says.outcome.replace("_", " ")
        else:
            outcome = "replaced since"
        is_open = says is not None and says.is_open and outcome in _OF_THE_RUN
        found.append(_day(file, body, outcome, is_the_runs=as_published, is_open=is_open))
    return tuple(found)


def _day(file: Path, body: bytes, outcome: str, *, is_the_runs: bool, is_open: bool) -> Day:
    kpis = read_kpis(body, name=str(file))
    return Day(
        date=kpis.date,
        figures={name: kpis.text(name) for name in kpis.kpis},
        outcome=outcome,
        is_the_runs=is_the_runs,
        is_open=is_open,
    )
