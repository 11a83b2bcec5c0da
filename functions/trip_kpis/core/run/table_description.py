"""The trips table, as DynamoDB describes it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trip_kpis.core.capacity import ReadCapacity

_OLD_ENOUGH = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDescription:
    """What DescribeTable says of the trips table."""

    name: str
    arn: str
    table_id: str
    """another one when a table is deleted and made again under its old name"""
    key_attributes: tuple[str, ...]
    """the hash key, then the sort key if there is one"""
    size_bytes: int
    item_count: int
    created_at: datetime | None = None
    """None: unknown"""
    capacity: ReadCapacity = field(default_factory=ReadCapacity)
    ttl_attribute: str | None = None
    """by which DynamoDB deletes items; None: it does not, or that is not known"""
    ttl_is_known: bool = True

    def size_is_known(self, now: datetime) -> bool:
        """DynamoDB calculates size and count about every six hours: until then a table that was
        just created, restored or loaded has none, or those of its beginning.
        """
        is_young = self.created_at is not None and now - self.created_at < _OLD_ENOUGH
        return self.size_bytes > 0 and self.item_count > 0 and not is_young
