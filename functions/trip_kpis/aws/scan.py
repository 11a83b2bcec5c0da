"""A table as the source: Scan requests by botocore, whose answers `core.items.scan_answers`
decodes."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from botocore.parsers import ResponseParserError

from trip_kpis.aws.clients import aws_call
from trip_kpis.aws.throttling import throttles_counted
from trip_kpis.core.definition.filter_expression import request
from trip_kpis.core.items.attributes import Item, key_from_json
from trip_kpis.core.items.pages import Cursor, Page
from trip_kpis.core.items.scan_answers import WholePage, scan_answers, whole_page
from trip_kpis.core.run.plan import Plan

_Decoded = TypeVar("_Decoded")


@dataclass(frozen=True, slots=True)
class TableScan:
    """A source: the plan's table, in the segments of a parallel scan.

    Its cursor is the LastEvaluatedKey, as it goes over the wire. The client leaves the answers
    undecoded (`raw_scan_parser.UndecodedScans`).
    """

    client: Any
    plan: Plan

    def pages(self, segment: int, *, after: Cursor | None) -> Iterator[Page]:
        """Yields the pages of a segment, one Scan request each.

        DynamoDB filters by the definition's conditions, or else what is incomplete, and sends only
        the definition's attributes and the key.
        """
        definition = self.plan.definition
        answers = scan_answers(*definition.paths, flags=definition.flag_paths)
        expressions = request(definition, self.plan.key_attributes)
        while True:
            page = _scanned(
                self.client, self.plan, segment, key_from_json(after), answers.page, **expressions
            )
            yield page
            after = page.end
            if after is None:
                return

    def throttles_counted(self) -> AbstractContextManager[Counter[str]]:
        return throttles_counted(self.client, "dynamodb.Scan")

    @property
    def name(self) -> str:
        return f"the table {self.plan.table_name}"

    @property
    def if_throttled(self) -> str:
        return (
            "raise the table's read throughput and resume the run, or resume it by an execution "
            f'that reads less at a time: {{"run_id": "{self.plan.run_id}", "max_concurrency": …, '
            '"read_units_per_second": …}'
        )


def unfiltered_page(client: Any, plan: Plan, segment: int, *, start_key: Item | None) -> WholePage:
    """Reads the page of a segment after the exclusive `start_key`, without filter and projection:
    it also has the items that a run would not receive. Raises what `aws_call` raises."""
    return _scanned(client, plan, segment, start_key, whole_page)


def _scanned(
    client: Any,
    plan: Plan,
    segment: int,
    start_key: Item | None,
    decode: Callable[[bytes], _Decoded],
    **expressions: Any,
) -> _Decoded:
    """Decodes the answer to one Scan request."""
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
