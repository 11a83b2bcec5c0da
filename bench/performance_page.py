"""docs/performance.md: text written by hand, and, between markers, the measured tables."""

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_LIBRARIES = ("boto3", "botocore", "msgspec", "pyarrow", "pandas", "awswrangler")
_MARKED = re.compile(
    r"(?P<begin><!-- bench (?P<name>\w+) -->\n).*?(?P<end><!-- end bench (?P=name) -->\n)",
    re.DOTALL,
)


class MissingMarkersError(ValueError):
    """The page has no place for something that was measured."""


def filled(page: str, measured: Mapping[str, str]) -> str:
    """Returns the page with every text between the markers of its name; everything else stays
    unchanged.

    Raises MissingMarkersError for a text that has no place.
    """
    places = {place["name"] for place in _MARKED.finditer(page)}
    if homeless := sorted(measured.keys() - places):
        raise MissingMarkersError(
            f"{PAGE.name} has no place for {', '.join(homeless)}: put the lines "
            "`<!-- bench NAME -->` and `<!-- end bench NAME -->` where the text belongs"
        )

    def refill(place: re.Match[str]) -> str:
        if place["name"] not in measured:
            return place[0]
        return f"{place['begin']}\n{measured[place['name']].strip()}\n\n{place['end']}"

    return _MARKED.sub(refill, page)


def machine() -> str:
    """Describes the machine and the versions on which figures depend."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"`make bench`, {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} processors "
        f"({_processor()}, {platform.machine()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {libraries}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*: (.*)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or "unknown"
