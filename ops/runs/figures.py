"""Figures as a person reads them, made from exact text: none goes through a float; and text as it
may be shown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal


def plain(number: str) -> str:
    """A JSON number without exponent, zeros at its end or minus zero: ``2e-06`` -> ``0.000002``."""
    text = format(Decimal(number), "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text


def grouped(number: str) -> str:
    """Commas between the thousands, every other character as it is."""
    return f"{Decimal(plain(number)):,f}"


def instant(time: datetime) -> str:
    """``2026-05-25T02:15:00Z``: UTC, with a fraction of a second only where there is one."""
    utc = time.astimezone(UTC).replace(tzinfo=None)
    fraction = f"{utc.microsecond:06d}".rstrip("0")
    return f"{utc:%Y-%m-%dT%H:%M:%S}{f'.{fraction}' if fraction else ''}Z"


def words(name: str) -> str:
    """A KPI's name as a person reads it: ``total_fare`` -> ``total fare``."""
    return name.replace("_", " ")


def heading(name: str) -> str:
    """A KPI's name above a column; those of the default definition are shorter."""
    return _HEADINGS.get(name, words(name))


_HEADINGS = {
    "trip_count": "trips",
    "average_fare": "average",
    "max_fare": "max",
    "min_fare": "min",
}


def short(number: str) -> str:
    """With commas, rounded half-even to two decimal places: ``1009.755`` -> ``1,009.76``."""
    return f"{Decimal(number):z,.2f}"


def share(part: int, whole: int) -> str:
    """In per cent, rounded half-even to two places; empty where there is no whole."""
    return f"{(Decimal(100) * part / whole).quantize(Decimal('0.01'))} %" if whole else ""


def times_the_mean(numbers: Sequence[int]) -> str:
    """How many times the mean the largest of them is; empty where that says nothing."""
    total = sum(numbers)
    if not total:
        return ""
    return str((Decimal(max(numbers)) * len(numbers) / total).quantize(Decimal("0.01")))


def lasting(seconds: str) -> str:
    """``3725.25`` -> ``1 h 2 min``; below a minute with one decimal place."""
    exact = Decimal(seconds)
    if exact < 60:
        return f"{exact.quantize(Decimal('0.1'))} s"
    minutes, rest = divmod(int(exact), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def seconds(milliseconds: int) -> str:
    """``61005`` -> ``61.005``"""
    return str(Decimal(milliseconds).scaleb(-3))


def so_many(number: int, what: str) -> str:
    """``1 page``, ``2 pages``"""
    return f"{number:,} {what}{'s' * (number != 1)}"


def shortened(text: str, longest: int) -> str:
    """Its first characters, where it is longer."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def visible(text: str) -> str:
    """What a trip holds may be anything: characters that a terminal would obey, or that would turn
    the order of others round, by their numbers."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
