"""A run's plan: written when the run begins, and followed by its workers and its merge."""

import hashlib
import json
import math
import random
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import msgspec

from trip_kpis.core.definition.model import Definition
from trip_kpis.core.definition.parsing import DefinitionFile, StackPaths
from trip_kpis.core.errors import (
    DefinitionError,
    InputError,
    PlanMismatchError,
    SettingError,
)
from trip_kpis.core.export.frozen import FrozenExport
from trip_kpis.core.items.attributes import AttributePath, dotted_path
from trip_kpis.core.items.time_formats import check_format
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.prices import Estimate
from trip_kpis.core.reading.read_item import ReadingRules
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.requests import RunRequest, check_run_id
from trip_kpis.core.settings import MOST_SEGMENTS, SETTINGS

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_KeyAttributes = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=2)]

SCHEMA_VERSION = 3
"""the version of plan and parts; a run must be finished by the version that began it"""
AS_OF, PLANNED_AT = "as-of", "planned-at"
"""the key of the as-of time in the metadata of days and manifests"""

SCAN, EXPORT = "scan", "export"
"""the sources"""


SEGMENTS_PER_WORKER = 4
"""Several segments per worker, so that a worker that had a small segment takes another one while a
large one is still read."""
SMALLEST_SEGMENT_BYTES = 256 * 2**20
"""Its five state transitions cost 3% of the price of reading it."""
LARGEST_SEGMENT_BYTES = 4 * 2**30
"""As much as one invocation has time for at 5 pages a second, half the rate of each of 32 workers
with an on-demand table's default quota. A worker that dies loses a minute of it, not all."""

_DECIDES_FIGURES = (
    "table_arn",
    "table_id",
    "key_attributes",
    *(setting.field for setting in SETTINGS if setting.decides_figures),
)


_OF_A_TABLE_THAT_IS_SCANNED = ("table_id", "key_attributes")
"""which may be another one now if the run reads an export: the plan has the exported table's"""

_IF_ASKED_FOR = ("total_segments", "consistent_read", "source", "export_arn", "export_manifest")

_UNCOUNTED = (
    "The export has no manifests of DynamoDB: whether all of its files are here, and whole, could "
    "not be checked."
)


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A path that a definition reads, and the parameter that contains it."""

    path: AttributePath
    role: str
    """`fare`, `estimated_fare` or `day` for the stack's parameters; otherwise the path itself"""
    parameter: str | None
    """the parameter; None: the definition itself contains the path"""

    @property
    def named_by(self) -> str:
        """Returns the parameter or the definition, for a message."""
        return self.parameter or "the KPI definition"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenDefinition:
    """The complete KPI definition of a run."""

    name: str
    sha256: str
    """digest of its content; see `DefinitionFile`"""
    text: str = field(compare=False)
    """the text of its file; comments and blanks in it have no effect"""

    @classmethod
    def of(cls, file: DefinitionFile) -> Self:
        """Reads a definition's file; raises DefinitionError if it is not TOML."""
        return cls(name=file.name, sha256=file.sha256, text=file.text)

    @property
    def file(self) -> DefinitionFile:
        return DefinitionFile(name=self.name, text=self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDefaults:
    """The stack's parameters with which a run begins."""

    kpi_definition: FrozenDefinition
    source: str
    """SCAN or EXPORT"""
    fare_attribute: str
    estimated_fare_attribute: str
    day_attribute: str
    time_zone: str
    time_formats: tuple[str, ...]
    earliest_day: str
    """ISO 8601; trips of an earlier day are rejected"""
    total_segments: int
    """0: depends on the table's size"""
    max_concurrency: int
    read_units_per_second: int
    """budget of the whole run; 0: unlimited"""
    consistent_read: bool
    checkpoint_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``staging/run=<run_id>/plan.json``.

    What a field must be by itself is in its type, and is checked when a plan is read.
    """

    schema_version: int
    run_id: str
    planned_at: str
    """UTC, ISO 8601"""
    table_name: str
    table_arn: str
    table_id: str
    key_attributes: _KeyAttributes
    kpi_definition: FrozenDefinition
    source: Literal["scan", "export"]
    export_arn: str | None
    """ARN of the export that is read; None: `export_manifest` names it, or the run makes one"""
    export_manifest: str | None
    """the URL of the export's manifest-summary.json"""
    fare_attribute: str
    estimated_fare_attribute: str
    day_attribute: str
    time_zone: str
    time_formats: tuple[str, ...]
    earliest_day: str
    """ISO 8601; trips of an earlier day are rejected"""
    total_segments: Annotated[int, msgspec.Meta(ge=1, le=MOST_SEGMENTS)]
    max_concurrency: _Positive
    read_units_per_second: _Count
    consistent_read: bool
    checkpoint_seconds: _Positive
    """the stack's value, or a longer interval if one merge would not have time for so many parts"""
    limited_by: str
    """the reason for `max_concurrency`: one of `workers.LimitedBy`"""
    lambda_limit: int | None
    """the account's unreserved Lambda executions when the run was planned; None: unknown"""
    ttl_attribute: str | None
    """the attribute by which DynamoDB deletes the table's items; None: it does not, or that is not
    known"""
    ttl_is_known: bool
    estimate: Estimate
    warnings: tuple[str, ...]
    """sentences for the run's summary"""
    export: FrozenExport | None = field(default=None, compare=False)
    """the export's files, once they are known; not part of the object"""
    stored_sha256: str = field(default="", compare=False)
    """digest of the objects that the plan was read from; not part of them"""

    @property
    def as_of(self) -> str:
        """Returns the as-of time (UTC, ISO 8601): the instant of the export; for a scan, which has
        none, the time of the plan. A later one's figures win over an earlier one's."""
        return self.planned_at if self.export is None else self.export.as_of

    @property
    def order_metadata(self) -> dict[str, str]:
        """Metadata of what the run publishes, by which the later one of two runs is known."""
        return {AS_OF: self.as_of, PLANNED_AT: self.planned_at}

    @property
    def makes_export(self) -> bool:
        """Returns whether the run makes the export that it reads, and pays for it."""
        return self.source == EXPORT and not (self.export_arn or self.export_manifest)

    @property
    def waits_for_export(self) -> bool:
        """Returns whether it is not known yet what the run reads, and its segments are not known
        either."""
        return self.source == EXPORT and self.export is None

    def items_of(self, segment: int) -> int | None:
        """Returns how many items the segment must have; None: not known."""
        return None if self.export is None else self.export.items_of(segment)

    def with_export(self, export: FrozenExport) -> Self:
        """Returns the plan with the export's files and segments."""
        both = f"{self.sha256} {export.sha256}".encode()
        return replace(
            self,
            export=export,
            total_segments=len(export.segments),
            warnings=self.warnings if export.is_countable else (*self.warnings, _UNCOUNTED),
            stored_sha256=hashlib.sha256(both).hexdigest(),
        )

    @property
    def definition(self) -> Definition:
        """Returns the definition with the plan's attribute paths. Raises DefinitionError."""
        return _definition(
            self.kpi_definition.file,
            StackPaths(
                fare=self.fare_attribute,
                estimated_fare=self.estimated_fare_attribute,
                day=self.day_attribute,
            ),
        )

    @property
    def named_paths(self) -> tuple[NamedPath, ...]:
        """Returns the numbers and times that the definition reads, with the parameters that contain
        their paths."""
        definition = self.definition
        return self.named([*definition.number_paths, *definition.day.paths])

    def named(self, paths: Iterable[AttributePath]) -> tuple[NamedPath, ...]:
        """Returns these paths of the definition, each once, with the parameters that contain
        them."""
        stack = {
            self.fare_attribute: ("fare", "FareAttribute"),
            self.estimated_fare_attribute: ("estimated_fare", "EstimatedFareAttribute"),
            self.day_attribute: ("day", "DayAttribute"),
        }
        used = self.kpi_definition.file.parameters
        of_stack = {path: named for path, named in stack.items() if named[1] in used}
        return tuple(
            NamedPath(path, *of_stack.get(dotted_path(path), (dotted_path(path), None)))
            for path in dict.fromkeys(paths)
        )

    @property
    def rules(self) -> ReadingRules:
        return ReadingRules(
            definition=self.definition,
            key_attributes=self.key_attributes,
            time_zone=time_zone(self.time_zone),
            earliest_day=date.fromisoformat(self.earliest_day),
            time_formats=self.time_formats,
        )

    @property
    def read_budget(self) -> ReadBudget:
        """Returns the read budget with which the run begins."""
        return ReadBudget(
            read_units_per_second=self.read_units_per_second, max_concurrency=self.max_concurrency
        )

    def to_bytes(self) -> bytes:
        """Returns one JSON object, fields in their order: the same plan gives the same bytes."""
        document = asdict(self)
        del document["export"], document["stored_sha256"]
        return (json.dumps(document, indent=1) + "\n").encode()

    @property
    def sha256(self) -> str:
        """Returns the digest of the object's bytes, and of the export's object: it connects the
        run's parts and invocations with its plan."""
        return self.stored_sha256 or hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Inverts `to_bytes`. Raises PlanMismatchError, which names field and value, for a plan
        that this version did not write."""
        try:
            document = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise _unreadable(f"it is not a JSON object: {error}") from error
        if (version := document.get("schema_version")) != SCHEMA_VERSION:
            raise PlanMismatchError(
                f"the plan has schema version {version!r}, this code writes {SCHEMA_VERSION}: a "
                "run is finished by the version that began it; deploy that one again, or start a "
                "new run"
            )
        known = {one.name for one in fields(cls)} - {"export", "stored_sha256"}
        if unknown := sorted(document.keys() - known):
            raise _unreadable(f"it has {', '.join(unknown)}, which this version does not know")
        document["stored_sha256"] = hashlib.sha256(body).hexdigest()
        try:
            plan = msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            raise _unreadable(f"{error}{_value_at(str(error), document)}") from error
        plan._check()
        return plan

    def _check(self) -> None:
        """Checks what the types cannot express. Raises PlanMismatchError."""
        try:
            is_utc = datetime.fromisoformat(self.planned_at).utcoffset() == timedelta(0)
        except ValueError:
            is_utc = False
        if not is_utc:
            raise _unreadable(f"planned_at is {self.planned_at!r}: it must be a time in UTC")
        try:
            check_run_id(self.run_id)
            _ = self.rules
            if self.kpi_definition.sha256 != self.kpi_definition.file.sha256:
                raise _unreadable("its KPI definition is not the one that was frozen (sha256)")
            for time_format in self.time_formats:
                check_format(time_format, setting="time_formats")
        except ValueError as error:
            raise _unreadable(f"earliest_day is {self.earliest_day!r}: {error}") from error
        except (DefinitionError, InputError, SettingError) as error:
            raise _unreadable(str(error)) from error


@lru_cache(maxsize=8)
def _definition(file: DefinitionFile, paths: StackPaths) -> Definition:
    return file.definition(paths)


def _unreadable(what: str) -> PlanMismatchError:
    return PlanMismatchError(
        f"the plan cannot be used: {what}. Another version of the program has written it, or "
        "something has changed it: finish the run with the version that began it, or start a new "
        "run, and find out who may write to staging/"
    )


def _value_at(error: str, document: dict[str, Any]) -> str:
    """Returns the top-level value that an error of msgspec is about, for the message."""
    place = re.search(r"`\$\.(\w+)", error)
    return f", which is {document.get(place[1])!r}" if place else ""


def check_agreement(frozen: Plan, wanted: Plan, request: RunRequest) -> None:
    """Checks that the run of the plan `frozen` may be resumed with the settings `wanted`.

    What decides the figures must be as it was; a table that was created again changes none that are
    read from an export. What is in _IF_ASKED_FOR must be, too, if the request itself asks for it.
    The rest stays as it was frozen, except for what the request asks for of `max_concurrency` and
    `read_units_per_second` (`estimate.planning.resumed_budget`).

    Raises PlanMismatchError, which lists what differs.
    """
    asked_for = [name for name in _IF_ASKED_FOR if getattr(request, name) is not None]
    differing = [
        f"{name} was {_shown(getattr(frozen, name))}, now it is {_shown(getattr(wanted, name))}"
        for name in (*_DECIDES_FIGURES, *asked_for)
        if getattr(frozen, name) != getattr(wanted, name)
        and not (name in _OF_A_TABLE_THAT_IS_SCANNED and frozen.source == EXPORT)
    ]
    if differing:
        raise PlanMismatchError(
            f"the run {frozen.run_id} was planned with other settings: {'; '.join(differing)}. "
            "Resume it with the settings that it began with (if its plan.json was changed: restore "
            "it), or start a new run without run_id"
        )


def _shown(value: object) -> str:
    if isinstance(value, FrozenDefinition):
        return f"{value.name!r} ({value.sha256[:12]})"
    return repr(value)


def check_table(plan: Plan, table_name: str) -> None:
    """Raises PlanMismatchError if the stack's table is not the plan's."""
    if plan.table_name != table_name:
        raise PlanMismatchError(
            f"the run {plan.run_id} was planned for the table {plan.table_name!r}, the stack's "
            f"TableName is {table_name!r} now: resume it with the table that the run began "
            "with, or start a new run without run_id"
        )


def check_table_id(plan: Plan, table_id: str) -> None:
    """Raises PlanMismatchError if the table was deleted and created again after the plan."""
    if plan.table_id != table_id:
        raise PlanMismatchError(
            f"the table {plan.table_name!r} was deleted and created again after the run "
            f"{plan.run_id} was planned (its id was {plan.table_id!r}, now it is "
            f"{table_id!r}), so the run cannot be of one table; nothing was "
            "published. Start a new run without run_id"
        )


def check_segment(plan: Plan, segment: int) -> None:
    """Raises InputError if the plan has no such segment."""
    if not 0 <= segment < plan.total_segments:
        raise InputError(
            f"segment is {segment}: the run {plan.run_id} has the segments 0 to "
            f"{plan.total_segments - 1}"
        )


def segments_for(table_bytes: int, *, max_concurrency: int, at_least: int = 1) -> int:
    """Returns the number of segments for a table of this size: at least 1, at most 10,000.

    `at_least` is for a table whose size is not known.
    """
    for_even_work = SEGMENTS_PER_WORKER * max_concurrency
    worth_a_call = math.ceil(table_bytes / SMALLEST_SEGMENT_BYTES)
    in_one_call = math.ceil(table_bytes / LARGEST_SEGMENT_BYTES)
    return min(MOST_SEGMENTS, max(1, at_least, in_one_call, min(for_even_work, worth_a_call)))


def shuffled(total_segments: int, *, seed: str) -> list[int]:
    """Returns all segment numbers, in an order that depends on `seed` alone.

    Neighbouring segments are neighbours in the key space and are in one partition; workers that
    take them in order would all read that partition at once.
    """
    order = list(range(total_segments))
    random.Random(seed).shuffle(order)
    return order
