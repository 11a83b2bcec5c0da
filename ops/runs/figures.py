"""Formats figures for people, from exact text and never from a float, and text that is safe to
show."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal


def plain(number: str) -> str:
    """Formats a JSON number without exponent, trailing zeros or minus zero: ``2e-06`` ->
    ``0.000002``."""
    text = format(Decimal(number), "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text


def grouped(number: str) -> str:
    """Adds commas between the thousands, and leaves every other character unchanged."""
    return f"{Decimal(plain(number)):,f}"


def instant(time: datetime) -> str:
    """Formats a time in UTC, with a fraction of a second only if there is one:
    ``2026-05-25T02:15:00Z``."""
    utc = time.astimezone(UTC).replace(tzinfo=None)
    fraction = f"{utc.microsecond:06d}".rstrip("0")
    return f"{utc:%Y-%m-%dT%H:%M:%S}{f'.{fraction}' if fraction else ''}Z"


def words(name: str) -> str:
    """Returns a KPI's name for people: ``total_fare`` -> ``total fare``."""
    return name.replace("_", " ")


def heading(name: str) -> str:
    """Returns the heading of a KPI's column; those of the default definition are shorter."""
    return _HEADINGS.get(name, words(name))


_HEADINGS = {
    "trip_count": "trips",
    "average_fare": "average",
    "max_fare": "max",
    "min_fare": "min",
}


def short(number: str) -> str:
    """Rounds half-even to two decimal places, with commas: ``1009.755`` -> ``1,009.76``."""
    return f"{Decimal(number):z,.2f}"


def share(part: int, whole: int) -> str:
    """Returns a share in per cent, rounded half-even to two places; empty if the whole is 0."""
    return f"{(Decimal(100) * part / whole).quantize(Decimal('0.01'))} %" if whole else ""


def times_the_mean(numbers: Sequence[int]) -> str:
    """Returns how many times the mean the largest number is; empty if that means nothing."""
    total = sum(numbers)
    if not total:
        return ""
    return str((Decimal(max(numbers)) * len(numbers) / total).quantize(Decimal("0.01")))


def lasting(seconds: str) -> str:
    """Formats a duration: ``3725.25`` -> ``1 h 2 min``; below a minute with one decimal place."""
    exact = Decimal(seconds)
    if exact < 60:
        return f"{exact.quantize(Decimal('0.1'))} s"
    minutes, rest = divmod(int(exact), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def seconds(milliseconds: int) -> str:
    """Converts milliseconds to seconds: ``61005`` -> ``61.005``."""
    return str(Decimal(milliseconds).scaleb(-3))


def so_many(number: int, what: str) -> str:
    """Formats a number and a noun: ``1 page``, ``2 pages``."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def shortened(text: str, longest: int) -> str:
    """Returns the first characters of a text, if it is longer."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def visible(text: str) -> str:
    """Replaces characters that a terminal would obey, or that would change the order of others, by
    their numbers: a trip may contain anything."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def balance(*, excluded: int, incomplete: int, rejected: int, counted: int) -> str:
    """Formats what became of the scanned items; excluded ones are named if there are any."""
    of_excluded = f"{excluded:,} excluded + " if excluded else ""
    return f"{of_excluded}{incomplete:,} incomplete + {rejected:,} rejected + {counted:,} counted"
