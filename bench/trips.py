"""Made-up taxi trips, as DynamoDB items of a given size, with their expected figures."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Item = dict[str, dict[str, Any]]

PAGE_BYTES = 2**20
"""What DynamoDB reads for one page, before it filters and projects:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html"""

KEY, DAY, FARE, ESTIMATE = "trip_id", "pickup_datetime", "fare_amount", "estimated_fare_amount"
_NOTE = "note"
_DAYS = 31
_INCOMPLETE_SHARE = 0.02
_REFUND_SHARE = 0.005
_PLAIN_SHARE = 0.7
"""of the fares have two decimal places, the rest up to 17, as sums of floats do"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the items of a table are like."""

    title: str
    trips_per_page: int
    attributes: int
    numbers_of_rejected: int = 0
    """elements of the list that the fare of a rejected trip is; 0: it is a word"""


SHAPES: Mapping[str, Shape] = {
    "sixteen": Shape(title="16 attributes", trips_per_page=3_015, attributes=16),
    "small": Shape(title="200 bytes", trips_per_page=5_243, attributes=6),
    "large": Shape(title="4 KB", trips_per_page=256, attributes=16),
    "lists": Shape(
        title="fares that are lists of 1,000 numbers",
        trips_per_page=200,
        attributes=6,
        numbers_of_rejected=1_000,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpTrip:
    """`fare` is None where the trip is incomplete or would be rejected."""

    item: Item
    day: str
    fare: Fraction | None


def make_up_trip(
    chance: random.Random, number: int, *, shape: Shape, size: int, rejected: bool = False
) -> MadeUpTrip:
    """Makes up a trip whose item has `size` bytes as DynamoDB counts them."""
    day = f"2024-05-{1 + chance.randrange(_DAYS):02d}"
    hour, minute, second = chance.randrange(23), chance.randrange(60), chance.randrange(60)
    fare, digits = _amount(chance)
    item: Item = {
        KEY: {"S": f"trip-{number:09d}"},
        DAY: {"S": f"{day} {hour:02d}:{minute:02d}:{second:02d}"},
        FARE: _rejected_fare(chance, shape) if rejected else {"N": digits},
        ESTIMATE: {"N": _amount(chance)[1]},
        "vendor_id": {"S": str(chance.randint(1, 4))},
    }
    if shape.attributes == 16:
        item |= {
            "dropoff_datetime": {"S": f"{day} {hour + 1:02d}:{minute:02d}:{second:02d}"},
            "passengers": {"N": str(chance.randint(1, 5))},
            "distance": {"N": f"{chance.randint(3, 300) / 10:.1f}"},
            "rate_code": {"S": chance.choice(("standard", "airport", "group"))},
            "forwarded": {"BOOL": chance.random() < 0.1},
            "pickup": {
                "M": {
                    "zone": {"S": chance.choice(("Harbour", "Old Town", "Airport", "North"))},
                    "location_id": {"N": str(chance.randint(1, 263))},
                }
            },
            "dropoff_id": {"N": str(chance.randint(1, 263))},
            "payment": {"S": chance.choice(("card", "cash", "invoice"))},
            "tip": {"N": f"{chance.randrange(1200) / 100:.2f}"},
            "tolls": {"N": chance.choice(("0", "6.55"))},
        }
    complete = chance.random() >= _INCOMPLETE_SHARE
    if not complete:
        del item[ESTIMATE]
    # A trip's size is decided by what people wrote about it.
    item[_NOTE] = {"S": ""}
    item[_NOTE] = {"S": "".join(chance.choices("etaoin shrdlu", k=size - item_bytes(item)))}
    return MadeUpTrip(item=item, day=day, fare=fare if complete and not rejected else None)


def _rejected_fare(chance: random.Random, shape: Shape) -> dict[str, Any]:
    if not shape.numbers_of_rejected:
        return {"S": "twelve"}
    return {"L": [{"N": str(chance.randint(100, 9_999))} for _ in range(shape.numbers_of_rejected)]}


def item_bytes(item: Item) -> int:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(str(content).encode())
    if kind == "N":
        digits = str(content).lstrip("-").replace(".", "").strip("0")
        return (len(digits) + 1) // 2 + 1 + str(content).startswith("-")
    if kind == "M":
        return 3 + len(content) + item_bytes(content)
    if kind == "L":
        return 3 + len(content) + sum(map(_value_bytes, content))
    return 1


def _amount(chance: random.Random) -> tuple[Fraction, str]:
    """An amount and its digits; calculated apart, so that neither is the other's parsing."""
    places = 2 if chance.random() < _PLAIN_SHARE else chance.randint(3, 17)
    whole, rest = round(chance.lognormvariate(3.1, 0.6)), chance.randrange(10**places)
    sign = -1 if chance.random() < _REFUND_SHARE else 1
    digits = f"{'-' if sign < 0 else ''}{whole}.{rest:0{places}d}"
    return sign * (whole + Fraction(rest, 10**places)), digits
