"""A month of plausible trips, made up: the demo's input, with the figures it must give."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ops.local.trip_files import Item, Trips

MONTH = date(2024, 5, 1)
DAYS = 31
_REJECTS: tuple[dict[str, Any], ...] = (
    {"fare_amount": {"BOOL": True}},
    {"fare_amount": {"S": "twelve"}},
    {"fare_amount": {"S": "12.3456789012345678901"}},
    {"fare_amount": {"N": "1000000000"}},
    {"pickup_datetime": {"NULL": True}},
    {"pickup_datetime": {"L": []}},
    {"pickup_datetime": {"S": "yesterday"}},
    {"pickup_datetime": {"N": "99999999999999999"}},
)
"""One trip for every reason to reject a trip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDay:
    """The expected figures of a day; calculated from the trips as they are made, not from the
    items."""

    trip_count: int
    total_fare: Fraction
    min_fare: Fraction
    max_fare: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpMonth:
    trips: Trips
    days: dict[date, KnownDay]
    incomplete: int
    rejected: int


def make_up_month(*, trips: int = 3_000, seed: int = 7) -> MadeUpMonth:
    """About `trips` trips of May 2024, the same ones for the same seed.

    Most are plain; among them are Numbers and Strings, every form of a time, refunds, trips that
    are incomplete, and one for every reason to reject a trip.
    """
    chance = random.Random(seed)
    items: dict[tuple[str, ...], Item] = {}
    fares: dict[date, list[Fraction]] = {}
    incomplete = 0
    for number in range(trips):
        trip_id = f"{chance.getrandbits(40):010x}"
        pickup = _pickup(chance)
        fare = _fare(chance)
        item = _item(chance, trip_id, pickup, fare)
        if number < len(_REJECTS):
            item |= _REJECTS[number]
        elif chance.random() < 0.04:
            item |= chance.choice(
                ({"fare_amount": {"S": ""}}, {"estimated_fare_amount": {"NULL": True}})
            )
            incomplete += 1
        else:
            fares.setdefault(pickup.date(), []).append(Fraction(fare))
        items[(trip_id,)] = item
    return MadeUpMonth(
        trips=Trips(hash_key="trip_id", sort_key=None, items=items),
        days={
            day: KnownDay(
                trip_count=len(known),
                total_fare=sum(known, Fraction()),
                min_fare=min(known),
                max_fare=max(known),
            )
            for day, known in sorted(fares.items())
        },
        incomplete=incomplete,
        rejected=len(_REJECTS),
    )


def _pickup(chance: random.Random) -> datetime:
    """Returns a pickup time: more trips by day than by night, and more at the end of the week."""
    weekday_weights = (8, 8, 9, 10, 14, 15, 11)
    days = [MONTH + timedelta(days=n) for n in range(DAYS)]
    day = chance.choices(days, [weekday_weights[day.weekday()] for day in days])[0]
    hour = min(23, max(0, round(chance.gauss(15, 5))))
    minute, second = chance.randrange(60), chance.randrange(60)
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


def _fare(chance: random.Random) -> Decimal:
    cents = round(chance.lognormvariate(3.1, 0.6) * 100)
    sign = -1 if chance.random() < 0.005 else 1  # a refund
    return Decimal(sign * max(cents, 250)).scaleb(-2)


_TIME_FORMS: tuple[Callable[[datetime], dict[str, str]], ...] = (
    lambda t: {"S": t.strftime("%Y-%m-%d %H:%M:%S")},
    lambda t: {"S": t.strftime("%Y-%m-%dT%H:%M:%SZ")},
    lambda t: {"S": t.strftime("%Y-%m-%dT%H:%M:%S.250+00:00")},
    lambda t: {"S": (t + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00")},
    lambda t: {"S": t.strftime("%Y-%m-%d %H:%M")},
    lambda t: {"N": str(int(t.timestamp()))},
    lambda t: {"N": str(int(t.timestamp()) * 1000)},
)


def _item(chance: random.Random, trip_id: str, pickup: datetime, fare: Decimal) -> Item:
    """Returns the item of a trip: seven of ten are all Strings, as a stream producer writes them;
    the rest have other forms."""
    estimate = fare + Decimal(chance.randrange(-300, 300)).scaleb(-2)
    plain = chance.random() < 0.7
    form = _TIME_FORMS[0] if plain else chance.choice(_TIME_FORMS)
    kind = "S" if plain else chance.choice("SN")
    return {
        "trip_id": {"S": trip_id},
        "pickup_datetime": form(pickup),
        "fare_amount": {kind: str(fare)},
        "estimated_fare_amount": {kind: str(estimate)},
        "vendor_id": {"S": str(chance.randint(1, 4))},
        "passenger_count": {"S": str(chance.randint(1, 5))},
        "pickup_location_id": {"S": str(chance.randint(1, 263))},
    }
