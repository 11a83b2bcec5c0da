"""The pages of a segment: Scan requests by botocore, decoded by `core.items.pages`."""

from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.parsers import ResponseParserError

from trip_kpis.aws.clients import aws_call
from trip_kpis.core.items.attributes import AttributePath, Item
from trip_kpis.core.items.pages import Page, PageDecoder, page_decoder
from trip_kpis.core.run.plan import Plan


def pages(client: Any, plan: Plan, segment: int, *, start_key: Item | None) -> Iterator[Page]:
    """The pages of a segment after the exclusive `start_key`, one Scan request each, to its end.

    DynamoDB filters out what is incomplete and sends only the plan's attributes and the key. The
    client leaves the answers undecoded (`answers.UndecodedScans`).
    """
    decoder = page_decoder(*plan.rules.paths)
    arguments: dict[str, Any] = {
        "TableName": plan.table_name,
        "Segment": segment,
        "TotalSegments": plan.total_segments,
        "ConsistentRead": plan.consistent_read,
        "ReturnConsumedCapacity": "TOTAL",
        **_projection_and_filter(plan),
    }
    while True:
        if start_key is not None:
            arguments["ExclusiveStartKey"] = start_key
        with aws_call("dynamodb:Scan", plan.table_name):
            page = _decoded(decoder, client.scan(**arguments)["Body"])
        yield page
        start_key = page.end_key
        if start_key is None:
            return


def _decoded(decoder: PageDecoder, body: bytes) -> Page:
    try:
        return decoder.decode(body)
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
