"""The expected figures of a table of made-up trips, calculated in fractions by separate code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bench.trips import MadeUpTrip

_PLACES = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDay:
    """The exact figures of one day."""

    trip_count: int
    total_fare: Fraction
    max_fare: Fraction
    min_fare: Fraction

    @classmethod
    def of(cls, fares: Iterable[Fraction]) -> "KnownDay":
        """Returns the figures of trips with these fares, of which there is at least one."""
        known = list(fares)
        return cls(
            trip_count=len(known),
            total_fare=sum(known, Fraction()),
            max_fare=max(known),
            min_fare=min(known),
        )

    def __add__(self, other: "KnownDay") -> "KnownDay":
        return KnownDay(
            trip_count=self.trip_count + other.trip_count,
            total_fare=self.total_fare + other.total_fare,
            max_fare=max(self.max_fare, other.max_fare),
            min_fare=min(self.min_fare, other.min_fare),
        )

    def times(self, number: int) -> "KnownDay":
        """Returns the figures of a table that has this day's trips so many times."""
        return KnownDay(
            trip_count=self.trip_count * number,
            total_fare=self.total_fare * number,
            max_fare=self.max_fare,
            min_fare=self.min_fare,
        )

    def kpi_json(self, day: str) -> bytes:
        """Returns the object that must be published for it."""
        average = round(self.total_fare / self.trip_count, 6)
        return (
            f'{{"date":"{day}","trip_count":{self.trip_count},'
            f'"total_fare":{decimal_text(self.total_fare)},"average_fare":{decimal_text(average)},'
            f'"max_fare":{decimal_text(self.max_fare)},"min_fare":{decimal_text(self.min_fare)}}}\n'
        ).encode()


KnownDays = Mapping[str, KnownDay]


def known_days(trips: Iterable[MadeUpTrip]) -> KnownDays:
    fares: dict[str, list[Fraction]] = {}
    for trip in trips:
        if trip.fare is not None:
            fares.setdefault(trip.day, []).append(trip.fare)
    return {day: KnownDay.of(known) for day, known in fares.items()}


def of_many(pages: Iterable[tuple[KnownDays, int]]) -> dict[str, KnownDay]:
    """Returns the days of a table that has each of these pages so many times."""
    days: dict[str, KnownDay] = {}
    for page, number in pages:
        for day, known in page.items():
            if number:
                known = known.times(number)
                days[day] = days[day] + known if day in days else known
    return days


def check(answer: Mapping[str, Mapping[str, Any]], known: KnownDays, *, of: str) -> None:
    """Raises RuntimeError unless the figures of a program are exactly the known ones.

    They are texts of decimals, by the names that `KnownDay` gives them.
    """
    for day in sorted({*answer, *known}):
        if day not in answer or day not in known:
            raise RuntimeError(f"{of}: {day} is in {'the truth' if day in known else 'its'} alone")
        counted = KnownDay(
            trip_count=int(answer[day]["trip_count"]),
            total_fare=Fraction(answer[day]["total_fare"]),
            max_fare=Fraction(answer[day]["max_fare"]),
            min_fare=Fraction(answer[day]["min_fare"]),
        )
        if counted != known[day]:
            raise RuntimeError(f"{of}: {day} is {answer[day]}, and must be {known[day]}")


def decimal_text(value: Fraction) -> str:
    """Formats a decimal as JSON with all places and no more; `value` has at most 18."""
    scaled = value * 10**_PLACES
    assert scaled.denominator == 1
    whole, rest = divmod(abs(scaled.numerator), 10**_PLACES)
    digits = f"{whole}.{rest:0{_PLACES}d}".rstrip("0").rstrip(".")
    return f"-{digits}" if value < 0 else digits
