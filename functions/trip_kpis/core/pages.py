"""One page of a scan, as the table gives it.

On its own, so that planning, which also knows the table, need not bring Arrow along.
"""

from dataclasses import dataclass

from trip_kpis.core.attributes import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer to a Scan request."""

    items: list[Item]
    """what the filter left of the page, projected; empty does not mean the end"""
    scanned: int
    """items that DynamoDB read, before its filter"""
    read_units: float
    end_key: Item | None
    """LastEvaluatedKey; None at the segment's end, and only there"""
