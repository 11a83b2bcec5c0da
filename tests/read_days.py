"""Times as Strings, and the days that they are read as."""

from datetime import date

import pytest

from trip_kpis.core.items.rejections import Reason, RejectionError
from trip_kpis.core.items.times import read_day
from trip_kpis.core.items.zones import time_zone

MAY_25 = date(2024, 5, 25)
EARLIEST, LATEST = date(1900, 1, 1), date(2100, 12, 31)


def day(text: str, zone: str = "UTC", *formats: str) -> date:
    return read_day(text, time_zone=time_zone(zone), earliest=EARLIEST, formats=formats)


def reason_of(text: str, zone: str = "UTC", *formats: str) -> Reason:
    with pytest.raises(RejectionError) as caught:
        day(text, zone, *formats)
    return caught.value.reason
