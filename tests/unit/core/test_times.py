"""A time tells one day in the reporting time zone, or it is rejected."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.errors import SettingError
from trip_kpis.core.rejections import Reason, RejectionError
from trip_kpis.core.times import check_format, read_day, read_epoch_day

MAY_25 = date(2024, 5, 25)


def day(text: str, zone: str = "UTC", *formats: str) -> date:
    return read_day(text, time_zone=ZoneInfo(zone), formats=formats)


def reason_of(text: str, zone: str = "UTC", *formats: str) -> Reason:
    with pytest.raises(RejectionError) as caught:
        day(text, zone, *formats)
    return caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-25 13:19:00",
        "2024-05-25T13:19:00",
        "2024-05-25 13:19",
        "2024-05-25T13:19",
        "2024-05-25 13:19:00.5",
        "2024-05-25T13:19:00.123456",
        "2024-05-25T13:19:00.123456789012345678901234567890",
        "2024-05-25",
        "2024-05-25T13:19:00Z",
        "2024-05-25 13:19Z",
        "2024-05-25T13:19:00.25Z",
        "2024-05-25T13:19:00+02:00",
        "2024-05-25T13:19:00-0200",
        "2024-05-25T13:19:00+05",
        "2024-05-25 13:19+05:45",
        "2024-05-25T00:00:00",
        "2024-05-25T23:59:59.999999999",
    ],
)
def test_every_listed_form_tells_its_day(text: str) -> None:
    assert day(text) == MAY_25


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"])
def test_a_time_without_an_offset_is_in_the_reporting_time_zone(zone: str) -> None:
    assert day("2024-05-25 00:00:00", zone) == day("2024-05-25 23:59:59", zone) == MAY_25


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2024-05-25T23:00:00Z", "Europe/Berlin", date(2024, 5, 26)),
        ("2024-05-25T21:59:59.999999999Z", "Europe/Berlin", MAY_25),
        ("2024-05-25T22:00:00Z", "Europe/Berlin", date(2024, 5, 26)),
        ("2024-05-26T00:30:00+02:00", "UTC", MAY_25),
        ("2024-05-25T18:29:59+00:00", "Asia/Kolkata", MAY_25),
        ("2024-05-25T18:30:00+00:00", "Asia/Kolkata", date(2024, 5, 26)),
        ("2024-05-26T13:59:00+14:00", "UTC", MAY_25),
        ("2024-05-24T12:00:00-12:00", "UTC", MAY_25),
        ("2024-05-25T00:00:00+23:59", "UTC", date(2024, 5, 24)),
    ],
)
def test_a_time_with_an_offset_is_converted(text: str, zone: str, expected: date) -> None:
    assert day(text, zone) == expected


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        # Sao Paulo had no midnight on 2018-11-04: 23:59:59-03:00 was followed by 01:00:00-02:00.
        ("2018-11-04T02:59:59Z", "America/Sao_Paulo", date(2018, 11, 3)),
        ("2018-11-04T03:00:00Z", "America/Sao_Paulo", date(2018, 11, 4)),
        ("2018-11-04 00:00:00", "America/Sao_Paulo", date(2018, 11, 4)),
        # And two on 2018-02-18, when 23:00 to 24:00 of the 17th came twice.
        ("2018-02-18T01:30:00Z", "America/Sao_Paulo", date(2018, 2, 17)),
        ("2018-02-18T02:30:00Z", "America/Sao_Paulo", date(2018, 2, 17)),
        ("2018-02-18T03:00:00Z", "America/Sao_Paulo", date(2018, 2, 18)),
        # Beirut went from 2022-03-26 23:59:59+02:00 to 01:00:00+03:00.
        ("2022-03-26T21:59:59Z", "Asia/Beirut", date(2022, 3, 26)),
        ("2022-03-26T22:00:00Z", "Asia/Beirut", date(2022, 3, 27)),
        ("2022-03-27 00:00:00", "Asia/Beirut", date(2022, 3, 27)),
        # Berlin changes at two in the morning; the nights before and after have other offsets.
        ("2024-03-30T22:59:59Z", "Europe/Berlin", date(2024, 3, 30)),
        ("2024-03-30T23:00:00Z", "Europe/Berlin", date(2024, 3, 31)),
        ("2024-03-31T21:59:59Z", "Europe/Berlin", date(2024, 3, 31)),
        ("2024-03-31T22:00:00Z", "Europe/Berlin", date(2024, 4, 1)),
        ("2024-03-31 02:30:00", "Europe/Berlin", date(2024, 3, 31)),
        ("2024-10-27T22:59:59Z", "Europe/Berlin", date(2024, 10, 27)),
        ("2024-10-27T23:00:00Z", "Europe/Berlin", date(2024, 10, 28)),
        # Samoa skipped 2011-12-30 altogether.
        ("2011-12-30T09:59:59Z", "Pacific/Apia", date(2011, 12, 29)),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", date(2011, 12, 31)),
    ],
)
def test_midnight_is_where_the_zone_has_it(text: str, zone: str, expected: date) -> None:
    assert day(text, zone) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "yesterday", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10",
        "2024-05-25 24:00:00", "2024-05-25T24:00", "2024-05-25 23:60", "2024-05-25 23:59:60",
        "2024-05-25 13", "2024-05-25T", "2024-05-25 13:19:00.", "2024-05-25Z", "2024-05-25+02:00",
        "2024-05-25 13:19:00 +02:00", "2024-05-25 13:19:00 UTC", "2024-05-25t13:19:00",
        "2024-05-25T13:19:00z", "2024-05-25  13:19", " 2024-05-25", "2024-05-25\n", "24-05-25",
        "2024-5-25", "20240525", "2024-W21-6", "2024-146", "25/05/2024", "1716643140",
        "+2024-05-25", "-2024-05-25", "12024-05-25", "\uff12\uff10\uff12\uff14-05-25",
        "2024-05-25T13:19:00+24:00", "2024-05-25T13:19:00+2", "2024-05-25T13:19:00+02:",
        "2024-05-25T13:19:00+02:00:30",
    ],
)  # fmt: skip
def test_what_is_in_no_form_or_in_no_calendar_is_unreadable(text: str) -> None:
    assert reason_of(text) is Reason.TIME_UNREADABLE


@pytest.mark.parametrize("offset", ["+05:60", "+0599", "-05:75", "+23:60"])
def test_an_offset_has_no_more_than_59_minutes(offset: str) -> None:
    assert reason_of(f"2024-05-25T13:19:00{offset}") is Reason.TIME_UNREADABLE


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("0000-01-01", "UTC"),
        ("0000-12-31 23:59", "UTC"),
        ("0001-01-01T00:00:00+00:01", "UTC"),
        ("0001-01-01T03:00:00Z", "America/Sao_Paulo"),
        ("9999-12-31T23:59:59-00:01", "UTC"),
        ("9999-12-31T23:59:59Z", "Europe/Berlin"),
        ("9999-12-31T12:00:00Z", "Pacific/Kiritimati"),
    ],
)
def test_a_conversion_out_of_the_calendar_is_out_of_range(text: str, zone: str) -> None:
    assert reason_of(text, zone) is Reason.TIME_OUT_OF_RANGE


def test_the_calendar_has_its_first_and_last_day() -> None:
    assert day("0001-01-01") == day("0001-01-01T23:59:59Z") == date(1, 1, 1)
    assert day("9999-12-31") == day("9999-12-31T00:00:00Z") == date(9999, 12, 31)


@given(
    st.datetimes(
        min_value=datetime(1, 1, 3),  # noqa: DTZ001 -- hypothesis asks for naive bounds
        max_value=datetime(9999, 12, 29),  # noqa: DTZ001
        timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
    ),
    st.sampled_from(["UTC", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia", "Asia/Beirut"]),
)
def test_reading_inverts_isoformat_at_any_offset(moment: datetime, zone: str) -> None:
    expected = moment.astimezone(ZoneInfo(zone)).date()
    assert day(moment.isoformat(), zone) == day(moment.isoformat(" "), zone) == expected


@given(
    st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.+Z-]{0,20}"),
    st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Sao_Paulo"]),
)
def test_any_text_is_a_day_or_a_rejection(text: str, zone: str) -> None:
    try:
        told = day(text, zone, "%d/%m/%Y %H:%M", "%G-W%V-%u", "%Y %U %w", "%d %b %y %z")
    except RejectionError:
        return
    assert isinstance(told, date)


# Epoch numbers


def epoch_day(number: str, zone: str = "UTC") -> date:
    return read_epoch_day(Decimal(number), time_zone=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("1716643140", MAY_25),
        ("1716643140.999", MAY_25),
        ("1716643140000", MAY_25),
        ("1716643140123.456", MAY_25),
        ("1.71664314E+9", MAY_25),
        ("1716595199.9999999999", date(2024, 5, 24)),
        ("1716595200", MAY_25),
        ("1716595199999", date(2024, 5, 24)),
        ("1716595199999.9", date(2024, 5, 24)),
        ("1716595200000", MAY_25),
        ("0", date(1970, 1, 1)),
        ("-0", date(1970, 1, 1)),
        ("-1", date(1969, 12, 31)),
        ("-0.5", date(1969, 12, 31)),
        ("1E-130", date(1970, 1, 1)),
        ("-1E-130", date(1969, 12, 31)),
        ("99999999999", date(5138, 11, 16)),
        ("100000000000", date(1973, 3, 3)),
        ("-100000000000", date(1966, 10, 31)),
        ("-62135596800", date(1, 1, 1)),
        ("253402300799999", date(9999, 12, 31)),
        ("253402300799999.99999999999999999999999", date(9999, 12, 31)),
    ],
)
def test_a_number_is_epoch_seconds_or_milliseconds(number: str, expected: date) -> None:
    assert epoch_day(number) == expected


@pytest.mark.parametrize(
    "number",
    [
        "-62135596801", "253402300800000", "-99999999999", "9" * 38, "-" + "9" * 38,
        "9.9999999999999999999999999999999999999E+125",
        "-9.9999999999999999999999999999999999999E+125",
    ],
)  # fmt: skip
def test_an_epoch_number_beyond_the_calendar_is_out_of_range(number: str) -> None:
    with pytest.raises(RejectionError) as caught:
        epoch_day(number)
    assert caught.value.reason is Reason.TIME_OUT_OF_RANGE


def test_an_epoch_number_is_told_in_the_reporting_time_zone() -> None:
    assert epoch_day("1541300399", "America/Sao_Paulo") == date(2018, 11, 3)
    assert epoch_day("1541300400", "America/Sao_Paulo") == date(2018, 11, 4)
    with pytest.raises(RejectionError):
        epoch_day("253402300799999", "Asia/Kolkata")


@given(st.integers(-62135596800, 99999999999), st.integers(0, 999))
def test_seconds_and_milliseconds_of_a_moment_tell_one_day(seconds: int, thousandths: int) -> None:
    expected = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
    assert epoch_day(f"{seconds}") == expected
    if abs(seconds) > 10**8:
        assert epoch_day(f"{seconds * 1000 + thousandths}") == expected


# Formats by parameter


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
