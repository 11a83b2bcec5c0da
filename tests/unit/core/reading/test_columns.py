"""Columns hold what the reading one by one gives, or nothing: never another value."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.definition.model import Measure
from trip_kpis.core.items.numbers import read_number
from trip_kpis.core.items.pages import Leaf
from trip_kpis.core.items.rejections import RejectionError
from trip_kpis.core.items.times import read_day, read_epoch_day
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.reading import columns

EARLIEST = date(1900, 1, 1)
NUMBER = Measure(paths=(("n",),))
ZONES = [
    time_zone(name)
    for name in (
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Monrovia",
        "Pacific/Apia", "America/Sao_Paulo", "Australia/Lord_Howe",
    )
]  # fmt: skip
zones = st.sampled_from(ZONES)

plain_numbers = st.from_regex(r"-?[0-9]{1,9}(\.[0-9]{1,18})?", fullmatch=True)
nearly_numbers = st.text("0123456789.-+eE n", max_size=32) | st.from_regex(
    r"[-+ ]?[0-9]{0,12}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,3})?\n?", fullmatch=True
)
moments = st.datetimes(datetime(1969, 1, 1), datetime(2101, 1, 1))  # noqa: DTZ001 -- local times
offsets = st.sampled_from(["Z", "+02:00", "-0330", "+14", "-00:30", "+0545"])


def number_or_none(text: str) -> Decimal | None:
    try:
        return read_number(text)
    except RejectionError:
        return None


def day_or_none(text: str, zone: ZoneInfo, earliest: date = EARLIEST) -> date | None:
    try:
        return read_day(text, time_zone=zone, earliest=earliest)
    except RejectionError:
        return None


def days_of(*leaves: Leaf, zone: ZoneInfo, earliest: date = EARLIEST) -> list[date | None]:
    found: list[date | None] = columns.days(
        [leaves], after="", time_zone=zone, earliest=earliest
    ).to_pylist()
    return found


def numbers_of(*leaves: Leaf) -> list[Decimal | None]:
    found: list[Decimal | None] = columns.measured([leaves], NUMBER, frozenset()).to_pylist()
    return found


def are_numbers(*leaves: Leaf) -> list[bool]:
    found: list[bool] = columns.are_numbers(leaves, frozenset()).to_pylist()
    return found


@given(st.lists(plain_numbers))
def test_plain_numbers_are_all_read(texts: list[str]) -> None:
    leaves = [Leaf(N=text) if n % 2 else Leaf(S=text) for n, text in enumerate(texts)]
    assert numbers_of(*leaves) == list(map(read_number, texts))
    assert are_numbers(*leaves) == [True] * len(texts)


@given(st.lists(plain_numbers | nearly_numbers, min_size=1))
def test_a_number_is_the_one_that_is_read_alone_or_none(texts: list[str]) -> None:
    for text, number in zip(texts, numbers_of(*(Leaf(S=t) for t in texts)), strict=True):
        assert number is None or number == number_or_none(text), text


def test_what_is_neither_text_nor_number_is_no_number() -> None:
    leaves = [Leaf(), Leaf(S=""), Leaf(S="1")]
    assert numbers_of(*leaves) == [None, None, Decimal(1)]
    assert are_numbers(*leaves) == [False, False, True]


def written(moment: datetime, form: int) -> str:
    return [
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        moment.strftime("%Y-%m-%dT%H:%M:%S"),
        moment.strftime("%Y-%m-%dT%H:%M"),
        moment.strftime("%Y-%m-%d"),
        moment.isoformat(" ", "microseconds"),
        moment.strftime("%Y-%m-%dT%H:%M:%S.%f"),
    ][form]


def is_within(moment: datetime) -> bool:
    return 1973 <= moment.year < 2099


@given(st.lists(st.tuples(moments, st.integers(0, 5)), min_size=1), zones)
def test_local_times_are_all_read(of: list[tuple[datetime, int]], zone: ZoneInfo) -> None:
    texts = [written(moment, form) for moment, form in of]
    for (moment, _), text, day in zip(
        of, texts, days_of(*(Leaf(S=text) for text in texts), zone=zone), strict=True
    ):
        assert day == (day_or_none(text, zone) if is_within(moment) or day else None)


@given(st.lists(st.tuples(moments, st.sampled_from([0, 1, 2, 4, 5]), offsets), min_size=1), zones)
def test_times_with_an_offset_are_read_except_on_days_on_which_the_zone_changes_its_own(
    of: list[tuple[datetime, int, str]], zone: ZoneInfo
) -> None:
    texts = [written(moment, form) + offset for moment, form, offset in of]
    for (moment, _, offset), text, day in zip(
        of, texts, days_of(*(Leaf(S=text) for text in texts), zone=zone), strict=True
    ):
        if day is None:
            utc_day = datetime.fromisoformat(f"{moment.isoformat()}{offset}").astimezone(UTC)
            assert not is_within(moment) or changes_on(zone, utc_day)
        else:
            assert day == day_or_none(text, zone), text


def changes_on(zone: ZoneInfo, moment: datetime) -> bool:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        len({(midnight + timedelta(hours=n)).astimezone(zone).utcoffset() for n in range(25)}) > 1
    )


@given(st.lists(moments, min_size=1), st.sampled_from([1, 1000, 1_000_000]), zones)
def test_epoch_numbers_are_read_except_on_days_on_which_the_zone_changes_its_offset(
    of: list[datetime], per_second: int, zone: ZoneInfo
) -> None:
    aware = [moment.replace(tzinfo=UTC) for moment in of]
    numbers = [str(int(moment.timestamp()) * per_second) for moment in aware]
    for moment, number, day in zip(
        aware, numbers, days_of(*(Leaf(N=n) for n in numbers), zone=zone), strict=True
    ):
        if day is None:
            assert not 1974 <= moment.year < 2099 or changes_on(zone, moment)
        else:
            assert day == read_epoch_day(Decimal(number), time_zone=zone, earliest=EARLIEST)


earliest_days = st.sampled_from(
    [date(1900, 1, 1), date(1970, 1, 1), date(2000, 1, 1), date(2024, 5, 25), date(2100, 12, 31)]
)


@given(
    st.lists(
        st.integers(-(10**18), 10**18)
        | st.sampled_from(
            [10**11, 10**14, 20240525, 202405251015, 20240525101500, 946684800, 946684799]
        ).flatmap(lambda at: st.integers(at - 2, at + 2))
        | st.datetimes(datetime(1999, 12, 30), datetime(2000, 1, 3)).map(  # noqa: DTZ001
            lambda moment: int(moment.replace(tzinfo=UTC).timestamp() * 10**6)
        ),
        min_size=1,
    ),
    earliest_days,
    zones,
)
def test_a_number_has_the_day_that_is_read_alone_or_none(
    of: list[int], earliest: date, zone: ZoneInfo
) -> None:
    found = days_of(*(Leaf(N=str(number)) for number in of), zone=zone, earliest=earliest)
    for number, day in zip(of, found, strict=True):
        if day is not None:
            assert day >= earliest
            assert day == read_epoch_day(Decimal(number), time_zone=zone, earliest=earliest)


@given(
    st.lists(st.tuples(moments, st.integers(0, 4), offsets | st.just("")), min_size=1),
    earliest_days,
    zones,
)
def test_no_day_before_the_earliest_is_read(
    of: list[tuple[datetime, int, str]], earliest: date, zone: ZoneInfo
) -> None:
    texts = [written(moment, form) + (offset if form != 3 else "") for moment, form, offset in of]
    found = days_of(*(Leaf(S=text) for text in texts), zone=zone, earliest=earliest)
    for text, day in zip(texts, found, strict=True):
        assert day is None or day == day_or_none(text, zone, earliest), text


def test_ordinary_days_are_read_from_the_earliest_on_in_every_zone_and_form() -> None:
    for text in ("1999-12-31 12:00", "1999-12-31T12:00:00Z"):
        (day,) = days_of(Leaf(S=text), zone=time_zone("Europe/Berlin"), earliest=date(2000, 1, 1))
        assert day is None
    for text in ("2000-01-01 12:00", "2000-01-01T12:00:00Z"):
        (day,) = days_of(Leaf(S=text), zone=time_zone("Europe/Berlin"), earliest=date(2000, 1, 1))
        assert day == date(2000, 1, 1)


@given(
    st.lists(
        st.from_regex(
            r"(19|20|21|00)[0-9]{2}-[0-3][0-9]-[0-3][0-9]"
            r"([ T_]?[0-2][0-9](:[0-6][0-9](:[0-6][0-9](\.[0-9]{0,9})?)?)?"
            r"(Z|[+-][0-9:]{1,6})?)?\n?",
            fullmatch=True,
        )
        | st.text("0123456789-:TZ+ .", max_size=30),
        min_size=1,
    ),
    zones,
)
def test_a_day_is_the_one_that_is_read_alone_or_none(texts: list[str], zone: ZoneInfo) -> None:
    found = days_of(*(Leaf(S=text) for text in texts), zone=zone)
    for text, day in zip(texts, found, strict=True):
        assert day is None or day == day_or_none(text, zone), text


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_every_day_of_a_century_and_a_quarter_is_read(zone: ZoneInfo) -> None:
    first = date(1970, 1, 1)
    every = [first + timedelta(days=n) for n in range((date(2099, 12, 31) - first).days + 1)]
    leaves = [Leaf(S=f"{day.isoformat()} 23:59:59") for day in every]
    assert days_of(*leaves, zone=zone) == every


def test_days_of_all_forms_at_once_keep_their_places() -> None:
    leaves = [
        Leaf(S="2024-05-25 13:19:00"),
        Leaf(N="1716643140"),
        Leaf(),
        Leaf(S="2024-05-25T23:30:00-02:00"),
        Leaf(S="nonsense"),
        Leaf(N="1716643140000"),
        Leaf(N="1e9"),
        Leaf(N="1716643140000000"),
        Leaf(N="20240525101500"),
    ]
    may_25, may_26 = date(2024, 5, 25), date(2024, 5, 26)
    expected = [may_25, may_25, None, may_26, None, may_25, None, may_25, None]
    assert days_of(*leaves, zone=time_zone("Europe/Berlin")) == expected
