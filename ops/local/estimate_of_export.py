"""Estimates a run over the table of an export, without the table: from the export's manifest and a
sample of its items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ops.local.export_on_disk import ExportOnDisk
from ops.local.parameters import functions_environment
from ops.local.trip_files import TripFileError, Trips
from ops.runs.execution import new_execution_name
from trip_kpis.aws.settings import read_estimate_terms, read_run_defaults
from trip_kpis.core.estimate.census import Census
from trip_kpis.core.estimate.comparison import Comparison
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.estimate.sample import SampledSegment
from trip_kpis.core.export.manifests import SUMMARY
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription

_REFUSED_BY_AWS = "lambda_limit_unknown"
"""the advice that says so: here, nobody has asked"""


@dataclass(slots=True, kw_only=True)
class SampleOfExport:
    """Items of an export, whose manifest says how many there are."""

    plan: Plan
    items_in_table: int
    census: Census = field(default_factory=Census)
    segments: Mapping[int, SampledSegment] = field(default_factory=dict)
    """an export's files are not those of a scan"""
    size_is_stale: bool = False
    is_cut_short: bool = False

    @property
    def items(self) -> int:
        return self.census.counts.scanned

    @property
    def size_is_known(self) -> bool:
        return self.items_in_table > 0 and self.plan.estimate.table_bytes > 0

    @property
    def is_whole_table(self) -> bool:
        return self.items == self.items_in_table


def estimate(
    export: ExportOnDisk, trips: Trips, *, parameters: Mapping[str, str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """As a stack would estimate it for the table that was exported; `trips` are a sample of the
    export.

    Raises TripFileError where the export has no manifests, and SettingError, InputError or
    DeploymentError for what no stack or run can have.
    """
    if export.table_arn is None or export.items is None or export.table_bytes is None:
        raise TripFileError(
            f"{export.path} has no {SUMMARY}, which says how large the table is: fetch the whole "
            "export, and give --export its folder"
        )
    table = TableDescription(
        name=export.table_arn.rpartition("/")[2],
        arn=export.table_arn,
        table_id=export.table_id,
        key_attributes=trips.key_attributes,
        size_bytes=export.table_bytes,
        item_count=export.items,
    )
    environment = functions_environment({**parameters, "TableName": table.name})
    terms = read_estimate_terms(environment)
    name, given = new_execution_name("estimate"), {**asked, "estimate_only": True}
    plans = Comparison.of(
        RunRequest.from_event({"execution_name": name, "input": given}),
        read_run_defaults(environment),
        table,
        recovery=True,  # or DynamoDB would not have exported the table
        now=datetime.now(UTC),
        terms=terms,
        lambda_limit=None,
    )
    sample = SampleOfExport(plan=plans.scan, items_in_table=table.item_count)
    sample.census.add([*trips.items.values()], plans.scan.rules)
    document = estimate_document(plans, sample, terms)
    document["advice"] = [one for one in document["advice"] if one["code"] != _REFUSED_BY_AWS]
    document["census"]["unknown"] = _unknown(table.name, is_whole=sample.is_whole_table)
    return document


def _unknown(table: str, *, is_whole: bool) -> str:
    of_sample = (
        ""
        if is_whole
        else "Forms and shares are those of the sample, which has the first items of a few files. "
    )
    return (
        f"The size and the number of items are those of the export's manifest. {of_sample}An "
        "export does not say how the table is billed, how much it delivers, whether TTL deletes "
        "items, or how many Lambda executions the account has: the cost and the duration are those "
        "of an on-demand table of the class Standard. Point-in-time recovery is taken to be on, as "
        f"it was for the export. `ops estimate --table {table}` asks AWS for all that."
    )
