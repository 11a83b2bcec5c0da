"""Scan requests by botocore, whose answers `core.items.pages` decodes."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from botocore.parsers import ResponseParserError

from trip_kpis.aws.clients import aws_call
from trip_kpis.core.items.attributes import AttributePath, Item
from trip_kpis.core.items.pages import Page, WholePage, page_decoder, whole_page
from trip_kpis.core.run.plan import Plan

_Decoded = TypeVar("_Decoded")


def pages(client: Any, plan: Plan, segment: int, *, start_key: Item | None) -> Iterator[Page]:
    """The pages of a segment after the exclusive `start_key`, one Scan request each, to its end.

    DynamoDB filters out what is incomplete and sends only the plan's attributes and the key. The
    client leaves the answers undecoded (`raw_scan_parser.UndecodedScans`). Raises what `aws_call`
    raises.
    """
    decoder, expressions = page_decoder(*plan.rules.paths), _projection_and_filter(plan)
    while True:
        page = _scanned(client, plan, segment, start_key, decoder.decode, **expressions)
        yield page
        start_key = page.end_key
        if start_key is None:
            return


def unfiltered_page(client: Any, plan: Plan, segment: int, *, start_key: Item | None) -> WholePage:
    """The page of a segment after the exclusive `start_key`, without filter and projection: an item
    that a run would not even see is there as well. Raises what `aws_call` raises."""
    return _scanned(client, plan, segment, start_key, whole_page)


def _scanned(
    client: Any,
    plan: Plan,
    segment: int,
    start_key: Item | None,
    decode: Callable[[bytes], _Decoded],
    **expressions: Any,
) -> _Decoded:
    """The decoded answer to one Scan request."""
    after = {} if start_key is None else {"ExclusiveStartKey": start_key}
    with aws_call("dynamodb:Scan", plan.table_name):
        answer = client.scan(
            TableName=plan.table_name,
            Segment=segment,
            TotalSegments=plan.total_segments,
            ConsistentRead=plan.consistent_read,
            ReturnConsumedCapacity="TOTAL",
            **expressions,
            **after,
        )
        try:
            return decode(answer["Body"])
        except msgspec.DecodeError as error:
            raise ResponseParserError(f"an answer to Scan cannot be read: {error}") from error


def _projection_and_filter(plan: Plan) -> dict[str, Any]:
    """Expressions with a placeholder for every name, so that no reserved word is in the way.

    An empty String is filtered out as well as an absent attribute; what else is incomplete (NULL)
    is left to the reading, which judges all of it again.
    """
    rules = plan.rules
    paths = dict.fromkeys(
        [rules.fare, rules.estimated_fare, rules.day, *((name,) for name in plan.key_attributes)]
    )
    names = dict.fromkeys(name for path in paths for name in path)
    placeholders = {name: f"#n{number}" for number, name in enumerate(names)}

    def expression(path: AttributePath) -> str:
        return ".".join(placeholders[name] for name in path)

    fare, estimate = expression(rules.fare), expression(rules.estimated_fare)
    return {
        "ProjectionExpression": ", ".join(map(expression, paths)),
        "FilterExpression": (
            f"attribute_exists({fare}) AND attribute_exists({estimate})"
            f" AND {fare} <> :empty AND {estimate} <> :empty"
        ),
        "ExpressionAttributeNames": {mark: name for name, mark in placeholders.items()},
        "ExpressionAttributeValues": {":empty": {"S": ""}},
    }
