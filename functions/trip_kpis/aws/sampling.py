"""Reads a sample of the table, within the run's read budget and the time that there is."""

import json
from collections.abc import Callable
from typing import Any

from botocore.parsers import ResponseParserError

from trip_kpis.aws.clients import aws_call
from trip_kpis.aws.read_budget import Pacer
from trip_kpis.core.capacity import page_units
from trip_kpis.core.estimate.sample import Sample, WholePage
from trip_kpis.core.items.attributes import Item, key_from_json
from trip_kpis.core.run.plan import Plan

GENTLE_UNITS_PER_SECOND = 512
"""where the run has no budget: about a hundredth of an on-demand table's default quota"""
_RESERVE_MS = 15_000
"""that must be left when a page is asked for"""
_COLLECTIONS = {"L", "SS", "NS", "BS"}
"""types of which an attribute value's content is a JSON list"""


def sampling_pacer(plan: Plan) -> Pacer:
    """One reader has the whole of the run's budget."""
    return Pacer(
        units_per_second=plan.read_units_per_second or GENTLE_UNITS_PER_SECOND,
        page_units=page_units(plan.consistent_read),
    )


def take_sample(
    client: Any, plan: Plan, *, remaining_ms: Callable[[], int], pacer: Pacer | None = None
) -> Sample:
    """What there is time for of the sample that the plan wants; perhaps nothing.

    The client leaves the answers undecoded (`answers.UndecodedScans`). Raises what `aws_call`
    raises.
    """
    sample, pacer = Sample(plan=plan), pacer or sampling_pacer(plan)
    for segment, start_key in sample.wanted():
        if not pacer.wait(at_most_ms=remaining_ms() - _RESERVE_MS):
            break
        page = _whole_page(client, plan, segment, start_key)
        pacer.consumed(page.read_units)
        sample.add(segment, page)
        del page  # it would be in memory beside the next one
    return sample


def _whole_page(client: Any, plan: Plan, segment: int, start_key: Item | None) -> WholePage:
    """No filter and no projection: an item that a run would not even see counts here as well."""
    after = {} if start_key is None else {"ExclusiveStartKey": start_key}
    with aws_call("dynamodb:Scan", plan.table_name):
        answer = client.scan(
            TableName=plan.table_name,
            Segment=segment,
            TotalSegments=plan.total_segments,
            ConsistentRead=plan.consistent_read,
            ReturnConsumedCapacity="TOTAL",
            **after,
        )
        return _decoded(answer["Body"])


def _decoded(body: bytes) -> WholePage:
    """With every attribute, also those that no run reads and `core.items.pages` therefore skips."""
    try:
        answer = json.loads(body, object_hook=_without_elements)
        return WholePage(
            items=answer["Items"],
            read_units=answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0),
            end_key=key_from_json(answer.get("LastEvaluatedKey") or None),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResponseParserError(f"an answer to Scan cannot be read: {error!r}") from error


def _without_elements(value: dict[str, Any]) -> dict[str, Any]:
    """A list or a set loses its elements as soon as it is decoded: no census looks at them, and as
    objects they take up to a hundred times the bytes that they have in the table."""
    for kind in _COLLECTIONS & value.keys():
        if isinstance(value[kind], list):  # else it is an attribute of that name
            return {kind: []}
    return value
