"""Every S3 key of the program: built and parsed here, and nowhere else.

    kpis/date=2024-05-25/kpi.json                                a day's figures
    breakdowns/by=<name>/date=2024-05-25/kpis.jsonl              the same figures of every group
    runs/run=<run_id>/manifest.json                              the proof of a finished run
    staging/run=<run_id>/plan.json                               what the run was planned with
    staging/run=<run_id>/export.json                             which export the run reads
    staging/run=<run_id>/read-budget-00001.json                  a later read budget
    staging/run=<run_id>/segment=00007/part-00003.parquet        a part of a segment's log
    staging/run=<run_id>/standstill/segment=00007/part-00003.json   an invocation without progress
    quarantine/run=<run_id>/segment=00007/part-00003-<digest>.jsonl   rejected trips of that part
    exports/run=<run_id>/…                                       the export that the run has made
    lease/publish.json                                           which merge publishes

A bucket may contain anything besides: only a key that `is_known` accepts is the program's own.
"""

import re
from dataclasses import dataclass
from datetime import date

KPIS = "kpis/"
BREAKDOWNS = "breakdowns/"
RUNS = "runs/"
STAGING = "staging/"
QUARANTINE = "quarantine/"
EXPORTS = "exports/"
"""DynamoDB writes the objects under it."""

DAYS = f"{KPIS}date="
"""the prefix of every day"""
MANIFESTS = f"{RUNS}run="
"""the prefix of every manifest"""
LEASE = "lease/publish.json"

LAST_PART = 99_999
"""Numbers have five digits: one of six would sort before others of five, and a log would be read
in another order than it was written."""

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

_RUN = f"run=(?P<run_id>{RUN_ID.pattern})"
_SEGMENT = "segment=(?P<segment>[0-9]{5})"
_PART = "part-(?P<part>[0-9]{5})"

_DAY = re.compile(rf"{DAYS}(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/kpi\.json")
_BREAKDOWN_DAY = re.compile(
    rf"{BREAKDOWNS}by=[a-z][a-z0-9_]*/date=(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/kpis\.jsonl"
)
_MANIFEST = re.compile(rf"{RUNS}{_RUN}/manifest\.json")
_PLAN = re.compile(rf"{STAGING}{_RUN}/plan\.json")
_EXPORT = re.compile(rf"{STAGING}{_RUN}/export\.json")
_STARTED_EXPORT = re.compile(rf"{EXPORTS}{_RUN}/AWSDynamoDB/(?P<export_id>[^/]+)/.*")
_READ_BUDGET = re.compile(rf"{STAGING}{_RUN}/read-budget-[0-9]{{5,}}\.json")
_PART_KEY = re.compile(rf"{STAGING}{_RUN}/{_SEGMENT}/{_PART}\.parquet")
_NO_PROGRESS = re.compile(rf"{STAGING}{_RUN}/standstill/{_SEGMENT}/{_PART}\.json")
_REJECTED = re.compile(rf"{QUARANTINE}{_RUN}/{_SEGMENT}/{_PART}-[0-9a-f]+\.jsonl")
_KNOWN = (
    _DAY,
    _BREAKDOWN_DAY,
    _MANIFEST,
    _PLAN,
    _EXPORT,
    _READ_BUDGET,
    _PART_KEY,
    _NO_PROGRESS,
    _REJECTED,
    re.compile(re.escape(LEASE)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The position of a part."""

    run_id: str
    segment: int
    part: int


def is_known(key: str) -> bool:
    """Returns whether a run writes objects with such keys."""
    return any(form.fullmatch(key) for form in _KNOWN)


def is_run_id(text: str) -> bool:
    """Returns whether a run can have this id, which becomes part of keys."""
    return RUN_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class DayObjects:
    """The objects that exist once per day: `kpi.json` of the days, or `kpis.jsonl` of a
    breakdown."""

    breakdown: str | None = None
    """the name of the breakdown; None: the days"""

    @property
    def prefix(self) -> str:
        """Returns the prefix of all of them."""
        return DAYS if self.breakdown is None else f"{BREAKDOWNS}by={self.breakdown}/date="

    @property
    def content_type(self) -> str:
        return "application/json" if self.breakdown is None else "application/jsonl"

    def key(self, day: date | str) -> str:
        """Returns the key of the day's object; with ``*`` for the day, a pattern of all keys."""
        file = "kpi.json" if self.breakdown is None else "kpis.jsonl"
        return f"{self.prefix}{day}/{file}"

    def day_at(self, key: str) -> date | None:
        """Returns the day of an object; None for a key that the program never writes."""
        match = (_DAY if self.breakdown is None else _BREAKDOWN_DAY).fullmatch(key)
        try:
            day = date.fromisoformat(match["day"]) if match else None
        except ValueError:  # no day of the calendar
            return None
        return day if day is not None and key == self.key(day) else None


def day_key(day: date) -> str:
    """Returns the key of the day's `kpi.json`."""
    return DayObjects().key(day)


def day_at(key: str) -> date | None:
    """Returns the day of a `kpi.json`; None for a key that the program never writes."""
    return DayObjects().day_at(key)


def manifest_key(run_id: str) -> str:
    """Returns the key of the run's manifest; with ``*`` for the run, a pattern of all manifests."""
    return f"{MANIFESTS}{run_id}/manifest.json"


def run_of_manifest(key: str) -> str | None:
    """Returns the id of the run; None for a key that is not a manifest's."""
    match = _MANIFEST.fullmatch(key)
    return match["run_id"] if match else None


def staging_prefix(run_id: str) -> str:
    """Returns the prefix of the plan, the parts and everything else that a run writes before it
    publishes."""
    return f"{STAGING}run={run_id}/"


def plan_key(run_id: str) -> str:
    """Returns the key of the run's plan; with ``*`` for the run, a pattern of all plans."""
    return f"{staging_prefix(run_id)}plan.json"


def run_of_plan(key: str) -> str | None:
    """Returns the id of the run; None for a key that is not a plan's."""
    match = _PLAN.fullmatch(key)
    return match["run_id"] if match else None


def export_key(run_id: str) -> str:
    """Returns the key of what the run reads of its export."""
    return f"{staging_prefix(run_id)}export.json"


def exports_prefix(run_id: str) -> str:
    """Returns the prefix of the export that the run makes, without the slash at its end, as
    DynamoDB's request has it."""
    return f"{EXPORTS}run={run_id}"


def export_at(key: str) -> str | None:
    """Returns the id of the export that an object with this key belongs to; None if it belongs to
    no export of a run."""
    match = _STARTED_EXPORT.fullmatch(key)
    return match["export_id"] if match else None


def read_budgets_prefix(run_id: str) -> str:
    """Returns the prefix of the read budgets that the run was given after its plan."""
    return f"{staging_prefix(run_id)}read-budget-"


def read_budget_key(run_id: str, number: int) -> str:
    """Returns the key of a read budget; the first is number 1."""
    return f"{read_budgets_prefix(run_id)}{number:05d}.json"


def parts_prefix(run_id: str, segment: int | None = None) -> str:
    """Returns the prefix of the parts of a segment, or of all segments."""
    of_all = f"{staging_prefix(run_id)}segment="
    return of_all if segment is None else f"{of_all}{segment:05d}/"


def part_key(run_id: str, segment: int, part: int) -> str:
    """Returns the key of a part of a segment's log."""
    return f"{parts_prefix(run_id, segment)}part-{part:05d}.parquet"


def part_at(key: str) -> Place | None:
    """Returns the place of the part with this key; None for a key that is not a part's."""
    return _place(_PART_KEY.fullmatch(key))


def no_progress_key(run_id: str, segment: int, part: int) -> str:
    """Returns the key of the note that an invocation had no time for a page of this part."""
    return f"{staging_prefix(run_id)}standstill/segment={segment:05d}/part-{part:05d}.json"


def quarantine_prefix(run_id: str) -> str:
    """Returns the prefix of the trips that the run rejected."""
    return f"{QUARANTINE}run={run_id}/"


def quarantine_key(run_id: str, segment: int, part: int, *, digest: str) -> str:
    """Returns the key of the rejected trips of a part, whose content has this hexadecimal
    digest."""
    return f"{quarantine_prefix(run_id)}segment={segment:05d}/part-{part:05d}-{digest}.jsonl"


def is_quarantine_of(run_id: str, key: str) -> bool:
    """Returns whether it is the key of an object with trips that this run rejected."""
    place = quarantined_part(key)
    return place is not None and place.run_id == run_id


def quarantined_part(key: str) -> Place | None:
    """Returns the part whose rejected trips have this key; None for a key outside the
    quarantine."""
    return _place(_REJECTED.fullmatch(key))


def _place(match: re.Match[str] | None) -> Place | None:
    if match is None:
        return None
    return Place(run_id=match["run_id"], segment=int(match["segment"]), part=int(match["part"]))
