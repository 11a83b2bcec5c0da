"""Time zones by their IANA names, from the pinned `tzdata` package: the same on every machine.

`zoneinfo` prefers the machine's own database, which has another age on every machine, and names
that are no IANA names (`localtime`, `posixrules`, `right/UTC`).
"""

import pkgutil
import re
from difflib import get_close_matches
from functools import lru_cache
from io import BytesIO
from zoneinfo import ZoneInfo

from trip_kpis.core.errors import SettingError

_NO_PLACE = {"Factory"}
"""tzdata's name for the zone of a machine on which no zone has been set."""
_SHORTEST_MISSPELLING = 5
"""A shorter name is an abbreviation, which is similar to other names with another meaning."""
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])0?([0-9]{1,2})(?::?00)?")


@lru_cache
def time_zone(name: str) -> ZoneInfo:
    """Returns the zone with this IANA name. Raises SettingError where there is none."""
    if not is_time_zone(name):
        closest = closest_time_zone(name)
        raise SettingError(
            f"the time zone is {name!r}: it must be an IANA time zone's name, such as UTC or "
            "Europe/Berlin" + (f" (the closest is {closest})" if closest else "")
        )
    return ZoneInfo.from_file(BytesIO(_tzdata(f"zoneinfo/{name}")), key=name)


def is_time_zone(name: str) -> bool:
    """Returns whether this is the name of an IANA time zone, in upper and lower case as IANA writes
    it."""
    return name in time_zone_names()


def closest_time_zone(name: str) -> str | None:
    """Returns the IANA name that was probably meant, if any is close: ``Berlin`` ->
    ``Europe/Berlin``."""
    wanted = name.strip().replace(" ", "_").casefold()
    if offset := _OFFSET.fullmatch(wanted):
        # https://data.iana.org/time-zones/tzdb/etcetera: Etc/GMT-2 is two hours east of UTC.
        reversed_sign = "-" if offset[1] == "+" else "+"
        fixed = f"Etc/GMT{reversed_sign}{int(offset[2])}"
        return fixed if is_time_zone(fixed) else None
    by_alphabet = sorted(time_zone_names(), reverse=True)
    names = sorted(by_alphabet, key=lambda one: one.count("/"), reverse=True)  # the last one wins
    whole = {one.casefold(): one for one in names}
    places = {one.rpartition("/")[2].casefold(): one for one in names}
    place = wanted.rpartition("/")[2]
    if exact := whole.get(wanted, places.get(place)):
        return exact
    if len(wanted) < _SHORTEST_MISSPELLING:
        return None
    for word, known in ((wanted, whole), (place, places)):
        if similar := get_close_matches(word, known, n=1, cutoff=0.85):
            return known[similar[0]]
    return None


@lru_cache(maxsize=1)
def time_zone_names() -> frozenset[str]:
    """Returns every IANA name in the pinned tzdata."""
    return frozenset(_tzdata("zones").decode().split()) - _NO_PLACE


def _tzdata(name: str) -> bytes:
    content = pkgutil.get_data("tzdata", name)
    if content is None:
        raise FileNotFoundError(f"the package tzdata has no {name}")
    return content
