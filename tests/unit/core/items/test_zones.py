"""Time zones are those of the pinned tzdata, whatever the machine has."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.test_architecture import FUNCTIONS, ROOT
from trip_kpis.core.errors import SettingError
from trip_kpis.core.items.zones import (
    closest_time_zone,
    is_time_zone,
    time_zone,
    time_zone_names,
)

MAY_25 = datetime(2024, 5, 25, 20, 0, tzinfo=UTC)

DAY_IN_BERLIN = f"""
import sys
sys.path[:0] = [{str(FUNCTIONS)!r}, {str(ROOT)!r}]
from zoneinfo import ZoneInfo
from tests.samples import plan
from trip_kpis.core.reading.read_item import read_items
from tests.samples import trip
rules = plan(time_zone="Europe/Berlin").rules
(only,) = read_items([trip(pickup_datetime={{"S": "2024-05-25T20:00:00Z"}})], rules).counted
print(only.day, ZoneInfo("Europe/Berlin").utcoffset(__import__("datetime").datetime(2024, 5, 25)))
"""


def test_the_machines_own_data_decide_nothing(tmp_path: Path) -> None:
    machine = tmp_path / "zoneinfo"
    (machine / "Europe").mkdir(parents=True)
    tokyo = Path(sys.modules["tzdata"].__file__ or "").parent / "zoneinfo" / "Asia" / "Tokyo"
    (machine / "Europe" / "Berlin").write_bytes(tokyo.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", DAY_IN_BERLIN],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONTZPATH": str(machine)},
    )
    assert done.stdout.split() == ["2024-05-25", "9:00:00"], "the day in Berlin, not in Tokyo"


def test_every_iana_name_is_a_zone_and_has_its_name() -> None:
    assert len(time_zone_names()) > 400
    for name in time_zone_names():
        assert is_time_zone(name)
        assert time_zone(name).key == name
        assert MAY_25.astimezone(time_zone(name)).utcoffset() is not None


def test_a_zone_is_one_object() -> None:
    assert time_zone("Europe/Berlin") is time_zone("Europe/Berlin")


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires",
                                  "Etc/GMT-14", "EST5EDT", "Asia/Calcutta", "Japan"])  # fmt: skip
def test_a_zone_of_the_package_is_what_zoneinfo_makes_of_the_name(name: str) -> None:
    for month in range(1, 13):
        moment = datetime(2015, month, 25, 12, tzinfo=UTC)
        assert moment.astimezone(time_zone(name)).utcoffset() == (
            moment.astimezone(ZoneInfo(name)).utcoffset()
        )


@pytest.mark.parametrize(
    "name",
    ["localtime", "posixrules", "right/UTC", "posix/UTC", "Factory", "", "europe/berlin", "Europe",
     "zone.tab", "../zones", "UTC/", "__init__.py", "leapseconds", "Berlin", "CEST", "UTC+2"],
)  # fmt: skip
def test_what_is_no_iana_name_is_no_zone(name: str) -> None:
    assert not is_time_zone(name)
    with pytest.raises(SettingError, match="IANA"):
        time_zone(name)


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("Berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("Germany/Berlin", "Europe/Berlin"),
        ("posix/Europe/Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("utc", "UTC"),
        ("right/UTC", "UTC"),
        ("singapore", "Singapore"),
        ("UTC+2", "Etc/GMT-2"),
        ("GMT-05:00", "Etc/GMT+5"),
        ("+0100", "Etc/GMT-1"),
        ("UTC+20", None),
        ("UTC+5:30", None),
        ("CEST", None),
        ("IST", None),
        ("localtime", None),
        ("posixrules", None),
        ("Factory", None),
        ("", None),
        ("Mars/Olympus", None),
    ],
)
def test_the_closest_name_is_suggested_if_any_is_close(name: str, closest: str | None) -> None:
    assert closest_time_zone(name) == closest


def test_the_message_has_the_name_and_the_closest_one() -> None:
    with pytest.raises(SettingError, match=r"'Berlin'.*the closest is Europe/Berlin"):
        time_zone("Berlin")


def test_a_fixed_offset_that_is_suggested_is_the_one_that_was_meant() -> None:
    offset = MAY_25.astimezone(time_zone(closest_time_zone("UTC+2") or "")).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 2 * 3600
