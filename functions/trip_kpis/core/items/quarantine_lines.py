"""A rejected trip as a line of the quarantine."""

import msgspec

from trip_kpis.core.items.rejections import RejectedTrip


def quarantine_line(trip: RejectedTrip) -> bytes:
    """One JSON object in UTF-8, and a line feed.

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
