"""Made-up trips, some of them odd, and their true figures, worked out without the product."""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from bench.known import KnownDay
from tests.faults.table import Table

_DAYS = ("2024-05-24", "2024-05-25", "2024-05-26", "2024-06-01", "2024-06-02")
_SIZES = (0, 1, 2, 7, 20, 20, 40, 40, 90)
_MOST_PAGES = 18


@dataclass(slots=True)
class Truth:
    """The expected results of a run over a table."""

    scanned: int = 0
    incomplete: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    """trip id -> reason"""
    fares: dict[str, list[Decimal]] = field(default_factory=dict)
    """by day"""

    @property
    def counted(self) -> int:
        return sum(map(len, self.fares.values()))

    def objects(self) -> dict[str, bytes]:
        """Returns the expected objects under kpis/."""
        return {
            f"kpis/date={day}/kpi.json": KnownDay.of(map(Fraction, fares)).kpi_json(day)
            for day, fares in self.fares.items()
        }


def made_up(rng: random.Random, *, at_least_one: bool, name: str) -> tuple[Table, Truth]:
    """A table and its truth; it is empty, unless `at_least_one` is wanted, or has a trip that
    counts: a run in which nothing counts fails."""
    truth, items = Truth(), []
    days = rng.sample(_DAYS, rng.randint(1, 4))
    size = rng.choice(_SIZES)
    oddity = rng.choice((0.0, 0.15, 0.5))
    for number in range(size):
        items.append(_trip(rng, f"{name}-{number}", days, rng.random() < oddity, truth))
    if (at_least_one or items) and not truth.counted:
        items.append(_trip(rng, f"{name}-last", days, False, truth))
    truth.scanned = len(items)
    table = Table(
        items=items,
        items_a_page=max(rng.choice((1, 2, 3, 5, 50)), -(-size // _MOST_PAGES)),
        last_page_is_empty=rng.random() < 0.5,
    )
    return table, truth


def _trip(
    rng: random.Random, trip_id: str, days: list[str], odd: bool, truth: Truth
) -> dict[str, Any]:
    day = rng.choice(days)
    fare = Decimal(rng.randint(-(10**6), 10**8)).scaleb(-rng.randint(0, 9))
    item: dict[str, Any] = {
        "trip_id": {"S": trip_id},
        "fare_amount": rng.choice(({"N": str(fare)}, {"S": str(fare)})),
        "estimated_fare_amount": {"N": "12"},
        "pickup_datetime": {"S": f"{day} 13:{rng.randint(10, 59)}:00"},
        "more": {"S": "x" * rng.randint(0, 30)},
    }
    if not odd:
        truth.fares.setdefault(day, []).append(fare)
        return item
    name, value, reason = rng.choice(_ODD)
    if value is None:
        del item[name]
    else:
        item[name] = value
    if reason is None:
        truth.incomplete += 1
    else:
        truth.rejected[trip_id] = reason
    return item


_ODD: tuple[tuple[str, dict[str, Any] | None, str | None], ...] = (
    ("fare_amount", None, None),
    ("fare_amount", {"NULL": True}, None),
    ("estimated_fare_amount", {"S": ""}, None),
    ("fare_amount", {"S": "twelve"}, "fare_not_a_number"),
    ("fare_amount", {"N": "1000000000"}, "fare_too_large"),
    ("estimated_fare_amount", {"BOOL": True}, "fare_wrong_type"),
    ("pickup_datetime", None, "time_missing"),
    ("pickup_datetime", {"S": "yesterday"}, "time_unreadable"),
)
"""(attribute, its value, the reason to reject the trip; None: it is incomplete)"""
