"""Why a complete item cannot be counted, and what the quarantine keeps of it."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from trip_kpis.core.items.attributes import AttributeValue, Item


class Reason(StrEnum):
    """The reason of a rejection, as quarantine, manifest and summary name it."""

    FARE_WRONG_TYPE = "fare_wrong_type"
    """neither a Number nor a String"""
    FARE_NOT_A_NUMBER = "fare_not_a_number"
    """a String that is not a decimal notation; also NaN and the infinities"""
    FARE_TOO_PRECISE = "fare_too_precise"
    """needs more than 18 decimal places"""
    FARE_TOO_LARGE = "fare_too_large"
    """10^9 or more in size"""
    NUMBER_WRONG_TYPE = "number_wrong_type"
    """the same four for a number that is not a fare"""
    NUMBER_NOT_A_NUMBER = "number_not_a_number"
    NUMBER_TOO_PRECISE = "number_too_precise"
    NUMBER_TOO_LARGE = "number_too_large"
    GROUP_WRONG_TYPE = "group_wrong_type"
    """the value to group by is not a String, a Number or a Boolean"""
    TIME_MISSING = "time_missing"
    """a completed trip without the attribute that decides its day"""
    TIME_WRONG_TYPE = "time_wrong_type"
    """neither a Number nor a String"""
    TIME_UNREADABLE = "time_unreadable"
    """a String in none of the known forms, or not a date of the calendar"""
    TIME_OUT_OF_RANGE = "time_out_of_range"
    """before `EarliestDay` or after 2100-12-31 in the reporting time zone"""

    @property
    def of_a_fare(self) -> "Reason":
        """Returns the same reason for a number that is a fare."""
        return Reason(self.replace("number_", "fare_", 1))


class RejectionError(Exception):
    """An error inside `core` only: a value cannot be read. It becomes a RejectedTrip, and never
    leaves the reading of a page."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedTrip:
    """A rejected trip: its key, the reason, and the wrong attribute and value."""

    key: Item
    reason: Reason
    attribute: str
    """the path, as a parameter names it"""
    value: AttributeValue | None
    """the wrong value; None if the attribute is absent"""


def quarantine_line(trip: RejectedTrip) -> bytes:
    """Returns one JSON object in UTF-8, and a line feed.

    A value that `Page.items` has left undecoded is copied as text. It is the same text as that of
    its decoded value, as long as it has no escapes; with escapes it is decoded, so that a line
    does not depend on how a server escapes.
    """
    document = {
        "key": trip.key,
        "reason": trip.reason,
        "attribute": trip.attribute,
        "value": trip.value and {kind: _unescaped(of) for kind, of in trip.value.items()},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=0) + b"\n"


def _unescaped(content: object) -> object:
    if isinstance(content, msgspec.Raw) and b"\\" in bytes(content):
        return msgspec.json.decode(content)
    return content
