"""Counts of the items that were read, by what became of them; they must add up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

import msgspec

from trip_kpis.core.items.rejections import Reason

_What = TypeVar("_What")

Count = Annotated[int, msgspec.Meta(ge=0, le=10**18)]
"""a count in a document that somebody else may have written"""

MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""Errors that are raised while a JSON document of another form is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts of a page, a part, a segment or a run; `+` combines them (a monoid)."""

    pages: int = 0
    scanned: int = 0
    """items that DynamoDB read, before its filter"""
    excluded: int = 0
    """items that a condition of the definition excludes, filtered by DynamoDB or seen here"""
    incomplete: int = 0
    """items that lack what the definition needs, filtered by DynamoDB or seen here"""
    rejected: Mapping[Reason, int] = field(default_factory=dict)
    counted: int = 0
    """trips in the figures"""
    read_units: float = 0.0
    """read request units that DynamoDB says it consumed; halves and wholes, exact as a float"""
    throttles: Mapping[str, int] = field(default_factory=dict)
    """answers "too many requests", by DynamoDB's reason"""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            pages=self.pages + other.pages,
            scanned=self.scanned + other.scanned,
            excluded=self.excluded + other.excluded,
            incomplete=self.incomplete + other.incomplete,
            rejected=_sum(self.rejected, other.rejected),
            counted=self.counted + other.counted,
            read_units=self.read_units + other.read_units,
            throttles=_sum(self.throttles, other.throttles),
        )

    @property
    def rejected_in_all(self) -> int:
        return sum(self.rejected.values())

    def rejects_more_than(self, tolerated: Decimal) -> bool:
        """Returns whether more than this share of the completed trips is rejected. Incomplete trips
        do not matter."""
        return self.rejected_in_all > tolerated * (self.rejected_in_all + self.counted)

    @property
    def balances(self) -> bool:
        """Returns whether scanned = excluded + incomplete + rejected + counted."""
        not_counted = self.excluded + self.incomplete + self.rejected_in_all
        return self.scanned == not_counted + self.counted

    def to_json(self) -> dict[str, Any]:
        return {
            "pages": self.pages,
            "scanned": self.scanned,
            "excluded": self.excluded,
            "incomplete": self.incomplete,
            "rejected": {str(reason): n for reason, n in sorted(self.rejected.items())},
            "counted": self.counted,
            "read_units": self.read_units,
            "throttles": dict(sorted(self.throttles.items())),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Inverts `to_json`. Raises one of MALFORMED for anything else."""
        return cls(
            pages=int(document["pages"]),
            scanned=int(document["scanned"]),
            excluded=int(document["excluded"]),
            incomplete=int(document["incomplete"]),
            rejected={Reason(reason): int(n) for reason, n in document["rejected"].items()},
            counted=int(document["counted"]),
            read_units=float(document["read_units"]),
            throttles={str(why): int(n) for why, n in document["throttles"].items()},
        )


def _sum(a: Mapping[_What, int], b: Mapping[_What, int]) -> Mapping[_What, int]:
    return Counter(a) + Counter(b) if a and b else a or b
