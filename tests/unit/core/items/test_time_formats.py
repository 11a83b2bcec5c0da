"""Further forms of a time: which are taken, and that none of them reads a zone as another one."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.read_days import EARLIEST, LATEST, MAY_25, day, reason_of
from tests.unit.test_architecture import ROOT
from trip_kpis.core.errors import SettingError
from trip_kpis.core.items.rejections import Reason, RejectionError
from trip_kpis.core.items.time_formats import ZONE_WORDS, check_format
from trip_kpis.core.items.zones import time_zone, time_zone_names


def test_further_formats_are_tried_in_turn() -> None:
    formats = ("%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y%m%d%H%M%S")
    assert day("25/05/2024 13:19", "UTC", *formats) == MAY_25
    assert day("25/05/2024", "UTC", *formats) == MAY_25
    assert day("20240525131900", "UTC", *formats) == MAY_25
    assert reason_of("05-25-2024", "UTC", *formats) is Reason.TIME_UNREADABLE
    assert reason_of("30/02/2024", "UTC", *formats) is Reason.TIME_UNREADABLE


def test_a_further_format_without_offset_is_in_the_reporting_time_zone() -> None:
    assert day("25/05/2024 23:59", "Pacific/Kiritimati", "%d/%m/%Y %H:%M") == MAY_25


def test_a_further_format_with_an_offset_is_converted() -> None:
    formats = ("%d/%m/%Y %H:%M %z",)
    assert day("25/05/2024 23:30 +0000", "Europe/Berlin", *formats) == date(2024, 5, 26)
    assert day("25/05/2024 00:30 +02:00", "UTC", *formats) == date(2024, 5, 24)
    assert reason_of("31/12/9999 23:30 -05:00", "UTC", *formats) is Reason.TIME_OUT_OF_RANGE


def test_a_built_in_form_is_never_left_to_the_formats() -> None:
    assert day("2024-05-06", "UTC", "%Y-%d-%m") == date(2024, 5, 6)
    assert reason_of("2024-13-06", "UTC", "%Y-%d-%m") is Reason.TIME_UNREADABLE


@pytest.mark.parametrize(
    "time_format",
    ["%d/%m/%Y %H:%M", "%d/%m/%Y", "%m-%d-%y %I:%M %p", "%Y%m%d", "%d %B %Y", "%Y-%j", "%G-W%V-%u",
     "%d/%m/%Y %H:%M:%S.%f %z"],
)  # fmt: skip
def test_a_format_that_tells_a_day_is_taken(time_format: str) -> None:
    assert check_format(time_format, setting="TIME_FORMATS") == time_format


@pytest.mark.filterwarnings(
    # Python 3.13 warns of what the program refuses a moment later.
    "ignore:Parsing dates involving a day of month without a year:DeprecationWarning"
)
@pytest.mark.parametrize(
    "time_format",
    ["%H:%M", "%Y", "%Y-%m", "%d/%m", "%d/%m %H:%M", "2024", "%Q", "%", "%d/%m/%Y %", "%s", "%F",
     "%Y-%m-%d %Y", "%d/%m/%Y %d"],
)  # fmt: skip
def test_a_format_that_tells_no_day_is_refused_by_name(time_format: str) -> None:
    with pytest.raises(SettingError) as caught:
        check_format(time_format, setting="TIME_FORMATS")
    assert "TIME_FORMATS" in str(caught.value)
    assert repr(time_format) in str(caught.value)
    assert "%d/%m/%Y" in str(caught.value)


def test_a_format_with_a_zone_name_is_refused_because_strptime_ignores_the_zone() -> None:
    # It would read "25/05/2024 23:30 UTC" as 23:30 in the reporting time zone.
    with pytest.raises(SettingError, match=r"%Z.*%z"):
        check_format("%d/%m/%Y %H:%M %Z", setting="TIME_FORMATS")
    check_format("%d/%m/%Y %%Z", setting="TIME_FORMATS")


# Zones in a format's literal text


UTC_LITERALS = (
    " UTC", "UTC", " utc", " Utc", " GMT", " (UTC)", "[UTC]", "Z", " Z", "z", ".000Z", ".000z",
    "Z[UTC]", "Z[Etc/UTC]", " Zulu", " UCT", " Etc/UTC", " Etc/GMT", "+0000", " +0000", "+00:00",
    " +00:00", "+00", "-0000", "-00:00", " -00:00", " \u221200:00", "+00:00:00", ".000+0000",
    ".000+00:00", "UTC+0", "UTC+00:00", "UTC-0", "UTC-00", " GMT+0000", "GMT-00:00",
    " GMT+0000 (Coordinated Universal Time)", "'Z'", " UTC h", "_UTC", " UT",
    " Coordinated Universal Time", " universal", " Greenwich Mean Time", " \uff35\uff34\uff23",
    " UTC +00:00",
)  # fmt: skip


@pytest.mark.parametrize("literal", UTC_LITERALS)
def test_literal_text_that_names_utc_is_read_as_utc(literal: str) -> None:
    time_format = check_format(f"%d/%m/%Y %H:%M:%S{literal}", setting="TIME_FORMATS")
    for text, expected in (
        ("25/05/2024 21:59:59", date(2024, 5, 25)),
        ("25/05/2024 22:00:00", date(2024, 5, 26)),
    ):
        assert day(f"{text}{literal}", "Europe/Berlin", time_format) == expected
        assert day(f"{text}{literal}", "UTC", time_format) == MAY_25


def test_ten_trips_around_midnight_in_berlin_fall_on_their_own_days() -> None:
    first = datetime(2024, 5, 25, 20, 0, tzinfo=UTC)
    texts = [f"{first + timedelta(minutes=40 * n):%Y-%m-%d %H:%M:%S} UTC" for n in range(10)]
    days = [day(text, "Europe/Berlin", "%Y-%m-%d %H:%M:%S UTC") for text in texts]
    assert days == [MAY_25] * 3 + [date(2024, 5, 26)] * 7


def test_literal_text_in_front_of_the_time_names_its_zone_as_well() -> None:
    for time_format in ("UTC %d/%m/%Y %H:%M", "%d/%m/%Y UTC%H:%M", "%d/%m/%YZ%H:%M"):
        text = time_format.replace("%d/%m/%Y", "25/05/2024").replace("%H:%M", "23:00")
        assert day(text, "Europe/Berlin", check_format(time_format, setting="X")) == date(
            2024, 5, 26
        )


@pytest.mark.parametrize(
    "literal",
    [
        " EST", "EST", " est", " CET", " CEST", " PDT", " ET", " MESZ", " BST", " IST", " AEST",
        " +0200", "+0200", "+02:00", "-03:30", "-0330", " +02", "+5", "-05", ".000-0500",
        "UTC+2", "UTC-05:00", " UTC +0200", " GMT+0100", "GMT-1", " GMT+0200 (CEST)",
        " Europe/Berlin", "[Europe/Berlin]", " america/new_york", " Etc/GMT-2", " UTC+02:00",
        " \u22120200", "-00", " EST5EDT", " (EST)", "_EST", " UTC/CET", "+02:00:00",
        " GMT 2", " UTC:2", " UTC 05:30", " UTC-", " \u20130500", " +\uff10\uff15\uff10\uff10",
        " Eastern Time",
        " E.S.T.", " U.T.C.", " Central European Time", " Japan", " GB", " HAEC", "T+02", " UT1",
        " America\\New_York", "T", " A", " Zeit", " UTCtime",
    ],
)  # fmt: skip
def test_literal_text_that_looks_like_another_zone_is_refused(literal: str) -> None:
    time_format = f"%d/%m/%Y %H:%M:%S{literal}"
    with pytest.raises(SettingError) as caught:
        check_format(time_format, setting="TIME_FORMATS")
    assert "TIME_FORMATS" in str(caught.value)
    assert repr(time_format) in str(caught.value)
    assert "%z" in str(caught.value)


@pytest.mark.parametrize(
    "time_format",
    [
        "%Y-%m-%dT%H:%M:%S,%f", "%d.%m.%Y, %H:%M Uhr", "%d.%m.%Y um %H.%M UHR", "%Hh%M %d/%m/%Y",
        "%d/%m/%Y at %H:%M", "%d/%m/%Y AT %H:%M", "le %d/%m/%Y et %H:%M", "z dnia %d.%m.%Y",
        "%d/%m/%Y %H:%M hrs", "%d/%m/%Y 1200 HRS", "%d/%m/%Y noon", "%Y-%m-%d_%H-%M-%S",
          "%Y-%m-%d-00:00:00", "trip-02 %d/%m/%Y",
        "run-0200 %d/%m/%Y", "%d/%m/%Y %%Z", "%d/%m/%Y %%z", "%d/%m/%Y UTCtime", "%d/%m/%Y Zeit",
        "%d/%m/%Y best", "%d/%m/%Y at %I:%M %p", "%H:%M h on %d/%m/%Y",
        "%d/%m/%Y %H:%M o'clock", "%dth %B %Y", "20%y-%m-%d", "%a %b %d %H:%M:%S %Y",
        "%G-W%V-%u", "%d/%m/%Y o'clock", "%d/%m/%Y km/h", "%Y年%m月%d日 %H時",
    ],
)  # fmt: skip
def test_words_and_digits_that_only_resemble_zones_leave_a_time_local(time_format: str) -> None:
    assert check_format(time_format, setting="X") == time_format
    for hour in (0, 12, 23):
        text = datetime(2024, 5, 25, hour, 30, tzinfo=UTC).strftime(time_format)
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            assert day(text, zone, time_format) == MAY_25, text


@pytest.mark.parametrize(
    "time_format",
    [
        "%d/%m/%Y %H:%M:%S %z", "%d/%m/%Y %H:%M:%S GMT%z", "%d/%m/%Y %H:%M:%S UTC%z",
        "%d/%m/%Y %H:%M:%S %z (CEST)", "%d/%m/%Y %H:%M:%S%zZ", "%d/%m/%Y %H:%M:%S %z EST",
        "%d/%m/%Y %H:%M:%S %%%z",
    ],
)  # fmt: skip
def test_where_a_format_has_an_offset_that_offset_counts(time_format: str) -> None:
    text = check_format(time_format, setting="X").replace(
        "%d/%m/%Y %H:%M:%S", "25/05/2024 22:30:00"
    )
    text = text.replace("%%", "%")
    for offset, expected in (("+0200", MAY_25), ("-0230", date(2024, 5, 26)), ("+00:00", MAY_25)):
        assert day(text.replace("%z", offset), "UTC", time_format) == expected


def test_a_zero_that_may_be_minutes_or_an_offset_is_refused_with_the_directives_to_write() -> None:
    for ambiguous, clear in (("%H-00", "%H-%M"), ("%H-%M-00", "%H-%M-%S")):
        with pytest.raises(SettingError, match=r"%z.*%M.*%S"):
            check_format(f"%Y%m%d {ambiguous}", setting="X")
        text = f"20240525 {clear}".replace("%H", "23").replace("%M", "00").replace("%S", "00")
        assert day(text, "Asia/Tokyo", check_format(f"%Y%m%d {clear}", setting="X")) == MAY_25


def test_an_offset_in_a_format_is_refused_with_the_format_that_reads_it() -> None:
    for literal, instead in (("+0200", "%z"), (" +02:00", " %z"), ("GMT+0200 (x)", "GMT%z (x)")):
        with pytest.raises(SettingError) as caught:
            check_format(f"%d/%m/%Y %H:%M{literal}", setting="X")
        better = f"%d/%m/%Y %H:%M{instead}"
        assert repr(better) in str(caught.value)
        text = f"25/05/2024 01:30{literal}"
        assert day(text, "UTC", check_format(better, setting="X")) == date(2024, 5, 24)


def test_every_name_that_a_zone_has_had_since_1970_is_refused_unless_it_is_utc() -> None:
    names, moment = set(), datetime(1970, 1, 1, tzinfo=UTC)
    zones = list(map(time_zone, time_zone_names()))
    while moment.year < 2026:
        names |= {moment.astimezone(zone).tzname() or "" for zone in zones}
        moment += timedelta(days=61)
    words = {name.casefold() for name in names if name.isalpha()}
    assert words - ZONE_WORDS == {"utc", "gmt"}


def test_the_page_says_of_every_text_what_is_made_of_it() -> None:
    section = (ROOT / "docs" / "trips.md").read_text(encoding="utf-8")
    section = section.split("\n## Further formats\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (.*`.*) \| (UTC|refused|no zone)\b.* \|$", section, re.MULTILINE))
    assert list(rows.values()) == ["UTC", "UTC", "refused", "refused", "refused", "no zone"]
    for cell, meaning in rows.items():
        for literal in re.findall("`(.+?)`", cell):
            time_format = f"%d/%m/%Y %H:%M{literal}"
            if meaning == "refused":
                with pytest.raises(SettingError):
                    check_format(time_format, setting="X")
            else:
                text = f"25/05/2024 23:30{literal.replace('%%', '%')}"
                expected = date(2024, 5, 26) if meaning == "UTC" else MAY_25
                time_format = check_format(time_format, setting="X")
                assert day(text, "Europe/Berlin", time_format) == expected, literal


# Epochs as Strings of digits


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("epoch_seconds", "1716643140"),
        ("epoch_seconds", "+1716643140.5"),
        ("epoch_seconds", "0001716643140"),
        ("epoch_milliseconds", "1716643140123"),
        ("epoch_milliseconds", "1716643140123.456"),
        ("epoch_microseconds", "1716643140123456"),
    ],
)
def test_a_string_of_digits_is_read_as_the_epoch_that_the_formats_name(
    word: str, text: str
) -> None:
    assert check_format(word, setting="X") == word
    assert day(text, "UTC", word) == MAY_25
    assert reason_of(text) is Reason.TIME_UNREADABLE


def test_its_size_does_not_change_its_unit() -> None:
    assert day("86400000000", "UTC", "epoch_milliseconds") == date(1972, 9, 27)
    assert day("86400000000000", "UTC", "epoch_microseconds") == date(1972, 9, 27)
    assert day("-86400", "UTC", "epoch_seconds") == date(1969, 12, 31)
    assert day("-0.5", "UTC", "epoch_milliseconds") == date(1969, 12, 31)


def test_it_is_in_utc_and_its_day_in_the_reporting_time_zone() -> None:
    assert day("1716674400", "UTC", "epoch_seconds") == MAY_25
    assert day("1716674400", "Europe/Berlin", "epoch_seconds") == date(2024, 5, 26)


@pytest.mark.parametrize("text", ["", "-", "1e9", "1_000", " 1716643140", "1716643140\n", "0x1",
                                  "\u0661", "1716643140.", ".5", "1,5", "NaN"])  # fmt: skip
def test_other_text_is_no_epoch(text: str) -> None:
    assert reason_of(text, "UTC", "epoch_seconds") is Reason.TIME_UNREADABLE


@pytest.mark.parametrize("text", ["9" * 12, "9" * 4000, "-" + "9" * 12, f"{'9' * 300}.5"])
def test_an_epoch_in_a_string_is_out_of_range_as_in_a_number(text: str) -> None:
    assert reason_of(text, "UTC", "epoch_seconds") is Reason.TIME_OUT_OF_RANGE


def test_the_first_format_that_a_text_is_in_decides() -> None:
    assert day("20240525", "UTC", "%Y%m%d", "epoch_seconds") == MAY_25
    assert day("20240525", "UTC", "epoch_seconds", "%Y%m%d") == date(1970, 8, 23)
    assert day("1716643140", "UTC", "%Y%m%d", "epoch_seconds") == MAY_25


@given(st.integers(-2208988800, 4133980799), st.integers(0, 999_999), st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"]))  # fmt: skip
def test_strings_and_numbers_of_a_moment_have_one_day(
    seconds: int, millionths: int, zone: str
) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    expected = moment.astimezone(time_zone(zone)).date()
    micros = seconds * 1_000_000 + millionths
    texts = {"seconds": seconds, "milliseconds": micros // 1000, "microseconds": micros}
    for unit, number in texts.items():
        try:
            assert day(str(number), zone, f"epoch_{unit}") == expected
        except RejectionError:
            assert not EARLIEST <= expected <= LATEST


def test_a_word_that_is_none_of_the_three_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingError) as caught:
        check_format("epoch_nanoseconds", setting="X")
    for word in ("epoch_seconds", "epoch_milliseconds", "epoch_microseconds"):
        assert word in str(caught.value)
