"""Classifies values by format without revealing them."""

from decimal import Decimal

from trip_kpis.core.items.attributes import AttributeValue
from trip_kpis.core.items.epochs import resembles
from trip_kpis.core.items.numbers import is_decimal
from trip_kpis.core.items.rejections import Reason, RejectedTrip
from trip_kpis.core.items.times import form_of, form_of_epoch
from trip_kpis.core.reading.read_item import ReadingRules

ABSENT = "absent"
_TYPES = {
    "S": "String",
    "N": "Number",
    "B": "Binary",
    "SS": "String Set",
    "NS": "Number Set",
    "BS": "Binary Set",
    "M": "Map",
    "L": "List",
}
_LONGEST_SHAPE = 40


def number_form(value: AttributeValue | None) -> str:
    """Returns ``Number``, ``String decimal``, ``String other``, ``absent``, ``empty String``, or a
    type."""
    text = _text(value)
    if text is None:
        return _type(value)
    return "String decimal" if is_decimal(text) else "String other"


def time_form(value: AttributeValue | None, rules: ReadingRules) -> str:
    """Returns the name of the form that `times` reads, ``String other``, ``absent``, ``empty
    String``, or a type."""
    if value is not None and "N" in value:
        return form_of_epoch(
            Decimal(value["N"]), time_zone=rules.time_zone, earliest=rules.earliest_day
        )
    text = _text(value)
    if text is None:
        return _type(value)
    return form_of(text, formats=rules.time_formats) or "String other"


def shape(value: AttributeValue | None) -> str:
    """Returns the shape of a value without its content: every digit is a 9, every letter an a or
    A."""
    text = None if value is None else value.get("S", value.get("N"))
    if not text:
        return _type(value)
    cut = text if len(text) <= _LONGEST_SHAPE else f"{text[:_LONGEST_SHAPE]}…"
    return "".join(map(_stand_in, cut))


def rejected_shape(trip: RejectedTrip, rules: ReadingRules) -> str:
    """Returns the shape of the wrong value; of a number that is out of range as a time, also what
    else it looks like: ``99999999 (date as a number)``."""
    form = shape(trip.value)
    text = "" if trip.value is None else trip.value.get("N", trip.value.get("S", ""))
    if trip.reason is Reason.TIME_OUT_OF_RANGE and is_decimal(text):
        other = resembles(Decimal(text), earliest=rules.earliest_day)
        return f"{form} ({other})" if other else form
    return form


def _text(value: AttributeValue | None) -> str | None:
    """Returns the text of a String that is not empty."""
    return None if value is None else value.get("S") or None


def _type(value: AttributeValue | None) -> str:
    if value is None:
        return ABSENT
    kind = next(iter(value))
    return "empty String" if kind == "S" else _TYPES.get(kind, kind)


def _stand_in(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character
