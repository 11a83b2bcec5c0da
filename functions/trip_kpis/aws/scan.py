"""Scan requests by botocore, whose answers `core.items.pages` decodes."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from botocore.parsers import ResponseParserError

from trip_kpis.aws.clients import aws_call
from trip_kpis.core.definition.filter_expression import request
from trip_kpis.core.items.attributes import Item
from trip_kpis.core.items.pages import Page, WholePage, page_decoder, whole_page
from trip_kpis.core.run.plan import Plan

_Decoded = TypeVar("_Decoded")


def pages(client: Any, plan: Plan, segment: int, *, start_key: Item | None) -> Iterator[Page]:
    """The pages of a segment after the exclusive `start_key`, one Scan request each, to its end.

    DynamoDB filters by the definition's conditions, or else what is incomplete, and sends only the
    definition's attributes and the key. The
    client leaves the answers undecoded (`raw_scan_parser.UndecodedScans`). Raises what `aws_call`
    raises.
    """
    definition = plan.definition
    decoder = page_decoder(*definition.paths, flags=definition.flag_paths)
    expressions = request(definition, plan.key_attributes)
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
