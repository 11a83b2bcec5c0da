"""A time has one day in the reporting time zone, or it is rejected."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.read_days import EARLIEST, LATEST, MAY_25, day, reason_of
from trip_kpis.core.items.rejections import Reason, RejectionError
from trip_kpis.core.items.times import read_day, read_epoch_day
from trip_kpis.core.items.zones import time_zone


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


FORMS_OF_A_DAY = (
    "{}", "{} 12:00:00", "{}T12:00:00Z", "{}T12:00:00-02:00", "{} 12.00 h", "{} 12.00 UTC",
)  # fmt: skip
FURTHER = ("%Y-%m-%d %H.%M h", "%Y-%m-%d %H.%M UTC")


@pytest.mark.parametrize("form", FORMS_OF_A_DAY)
def test_a_day_before_the_earliest_or_after_2100_is_out_of_range_in_every_form(form: str) -> None:
    def read(text: str) -> date:
        return read_day(
            form.format(text),
            time_zone=time_zone("UTC"),
            earliest=date(2000, 1, 1),
            formats=FURTHER,
        )

    assert read("2000-01-01") == date(2000, 1, 1)
    assert read("2100-12-31") == date(2100, 12, 31)
    for text in ("1999-12-31", "2101-01-01", "1970-01-01", "0001-01-01", "9999-12-31"):
        with pytest.raises(RejectionError) as caught:
            read(text)
        assert caught.value.reason is Reason.TIME_OUT_OF_RANGE


def test_it_is_the_day_in_the_reporting_time_zone_that_is_in_range_or_not() -> None:
    assert day("1899-12-31T23:30:00Z", "Asia/Kolkata") == date(1900, 1, 1)
    assert reason_of("1899-12-31T23:30:00Z") is Reason.TIME_OUT_OF_RANGE
    assert day("2101-01-01T00:30:00Z", "America/Sao_Paulo") == date(2100, 12, 31)
    assert reason_of("2101-01-01T00:30:00Z") is Reason.TIME_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("zone", "texts"),
    [
        # Clocks show these twice, and the days before and after as well in the first two.
        ("America/Sao_Paulo", ["2018-02-17 23:30:00", "2018-02-17 23:30", "2018-02-17"]),
        ("America/Havana", ["2024-11-03 00:30:00", "2024-11-03T00:30", "2024-11-03"]),
        ("Europe/Berlin", ["2024-10-27 02:30:00", "2024-10-27T02:30:00.5", "2024-10-27"]),
        # And these never.
        ("America/Sao_Paulo", ["2018-11-04 00:30:00", "2018-11-04T00:30"]),
        ("Pacific/Apia", ["2011-12-30 12:00:00", "2011-12-30"]),
    ],
)
def test_a_local_time_that_clocks_show_twice_or_never_has_the_day_that_it_states(
    zone: str, texts: list[str]
) -> None:
    for text in texts:
        assert day(text, zone) == date.fromisoformat(text[:10])
        further = f"{text[:10]} 00.30 h"
        assert day(further, zone, "%Y-%m-%d %H.%M h") == date.fromisoformat(text[:10])


@given(
    st.sampled_from([(1, 9999), (1899, 1901), (1900, 2100), (2100, 2102)]).flatmap(
        lambda years: st.datetimes(
            min_value=datetime(years[0], 1, 3),  # noqa: DTZ001 -- hypothesis asks for naive bounds
            max_value=datetime(years[1], 12, 29),  # noqa: DTZ001
            timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
        )
    ),
    st.sampled_from(["UTC", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia", "Asia/Beirut"]),
)
def test_reading_inverts_isoformat_at_any_offset(moment: datetime, zone: str) -> None:
    expected = moment.astimezone(time_zone(zone)).date()
    for text in (moment.isoformat(), moment.isoformat(" ")):
        if EARLIEST <= expected <= LATEST:
            assert day(text, zone) == expected
        else:
            assert reason_of(text, zone) is Reason.TIME_OUT_OF_RANGE


@given(
    st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.+Z-]{0,20}"),
    st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Sao_Paulo"]),
)
def test_any_text_is_a_day_or_a_rejection(text: str, zone: str) -> None:
    try:
        reported = day(
            text, zone, "%d/%m/%Y %H:%M", "%G-W%V-%u", "%Y %U %w", "%d %b %y %z", "epoch_seconds"
        )
    except RejectionError:
        return
    assert EARLIEST <= reported <= LATEST


# Epoch numbers


def epoch_day(number: str, zone: str = "UTC") -> date:
    return read_epoch_day(Decimal(number), time_zone=time_zone(zone), earliest=EARLIEST)


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
        ("100000000000", date(1973, 3, 3)),
        ("-100000000000", date(1966, 10, 31)),
        ("100000000000000", date(1973, 3, 3)),
        ("-100000000000000", date(1966, 10, 31)),
        ("1716643140000000", MAY_25),
        ("1716595199999999", date(2024, 5, 24)),
        ("1716595199999999.9", date(2024, 5, 24)),
        ("1716595200000000", MAY_25),
        ("1.71664314E+15", MAY_25),
        ("-2208988800", date(1900, 1, 1)),
        ("-2208988800000", date(1900, 1, 1)),
        ("-2208988800000000", date(1900, 1, 1)),
        ("4133980799.99999999999999999999999999999", date(2100, 12, 31)),
        ("4133980799999.99999999999999999999999999", date(2100, 12, 31)),
        ("4133980799999999.99999999999999999999999", date(2100, 12, 31)),
    ],
)
def test_a_number_is_epoch_seconds_milliseconds_or_microseconds_by_its_size(
    number: str, expected: date
) -> None:
    assert epoch_day(number) == expected


@pytest.mark.parametrize(
    "number",
    [
        "-62135596801",  "-99999999999", "9" * 38, "-" + "9" * 38,
        "-2208988801", "-2208988800001", "-2208988800000001", "4133980800", "4133980800000",
        "4133980800000000", "99999999999", "99999999999999", "1716643140000000000",
        "9.9999999999999999999999999999999999999E+125",
        "-9.9999999999999999999999999999999999999E+125",
    ],
)  # fmt: skip
def test_an_epoch_number_before_the_earliest_day_or_after_2100_is_out_of_range(number: str) -> None:
    with pytest.raises(RejectionError) as caught:
        epoch_day(number)
    assert caught.value.reason is Reason.TIME_OUT_OF_RANGE


def test_an_epoch_number_is_reported_in_the_reporting_time_zone() -> None:
    assert epoch_day("1541300399", "America/Sao_Paulo") == date(2018, 11, 3)
    assert epoch_day("1541300400", "America/Sao_Paulo") == date(2018, 11, 4)
    assert epoch_day("4133980799", "America/Sao_Paulo") == date(2100, 12, 31)
    with pytest.raises(RejectionError):
        epoch_day("4133980799", "Asia/Kolkata")


@given(st.integers(-2208988800, 4133980799), st.integers(0, 999_999))
def test_seconds_milliseconds_and_microseconds_of_a_moment_are_one_day(
    seconds: int, millionths: int
) -> None:
    expected = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
    assert epoch_day(f"{seconds}") == expected
    if not -(10**8) <= seconds <= 10**8:
        assert epoch_day(f"{seconds * 1000 + millionths // 1000}") == expected
        assert epoch_day(f"{seconds * 1_000_000 + millionths}") == expected


@pytest.mark.parametrize(
    "number",
    ["20240525", "240525", "202405251015", "20240525101500", "20240525101500123", "45437.55", "0"],
)
def test_a_number_that_is_no_epoch_is_out_of_range_with_the_default_earliest_day(
    number: str,
) -> None:
    with pytest.raises(RejectionError) as caught:
        read_epoch_day(Decimal(number), time_zone=time_zone("UTC"), earliest=date(2000, 1, 1))
    assert caught.value.reason is Reason.TIME_OUT_OF_RANGE
