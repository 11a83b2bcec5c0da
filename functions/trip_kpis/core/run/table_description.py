"""The trips table, as DynamoDB describes it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trip_kpis.core.capacity import ReadCapacity

_OLD_ENOUGH = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDescription:
    """The answers of DescribeTable about the trips table."""

    name: str
    arn: str
    table_id: str
    """changes when a table is deleted and created again with the same name"""
    key_attributes: tuple[str, ...]
    """the hash key, then the sort key if there is one"""
    size_bytes: int
    item_count: int
    created_at: datetime | None = None
    """None: unknown"""
    capacity: ReadCapacity = field(default_factory=ReadCapacity)
    ttl_attribute: str | None = None
    """the attribute by which DynamoDB deletes items; None: it does not, or that is not known"""
    ttl_is_known: bool = True

    def size_is_known(self, now: datetime) -> bool:
        """Returns whether size and count are known: DynamoDB calculates them about every six hours,
        so a table that was just created, restored or loaded has none, or old ones."""
        is_young = self.created_at is not None and now - self.created_at < _OLD_ENOUGH
        return self.size_bytes > 0 and self.item_count > 0 and not is_young
