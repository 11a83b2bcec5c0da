"""Times are recognized in every mixture of forms that one run can read."""

from typing import Any

import pytest

from ops.local.recognized_times import Times, forms_of_times, recognize_times

Values = list[dict[str, Any]]
ISO: Values = [{"S": f"2024-05-{day} 10:00:00"} for day in range(10, 30)]
EPOCHS: Values = [{"N": f"{1716631200 + n}"} for n in range(20)]
MILLISECONDS: Values = [{"N": f"{1716631200000 + n}"} for n in range(20)]
DOTS: Values = [{"S": f"{day}.05.2024 10:00"} for day in range(10, 30)]
SLASHES: Values = [{"S": f"{day}/05/2024"} for day in range(10, 30)]
MONTH_FIRST: Values = [{"S": f"05/{day}/2024"} for day in range(10, 30)]
DIGITS: Values = [{"S": f"{1716631200 + n}"} for n in range(20)]
DIGITS_OF_MILLISECONDS: Values = [{"S": f"{1716631200000 + n}"} for n in range(10)]
WORDS: Values = [{"S": f"day {n}"} for n in range(20)]


def times(values: Values, *, is_named: bool = True) -> Times:
    return recognize_times(values, is_named=is_named)


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (ISO, ()),
        (ISO * 50 + EPOCHS, ()),
        (ISO + EPOCHS + MILLISECONDS, ()),
        (DOTS, ("%d.%m.%Y %H:%M",)),
        (ISO + DOTS + EPOCHS, ("%d.%m.%Y %H:%M",)),
        (DOTS * 2 + SLASHES, ("%d.%m.%Y %H:%M", "%d/%m/%Y")),
    ],
)
def test_all_values_are_read(values: Values, formats: tuple[str, ...], is_named: bool) -> None:
    found = times(values, is_named=is_named)
    assert (found.formats, found.share) == (formats, 1)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        (ISO + WORDS, 0.5),
        (SLASHES * 3 + MONTH_FIRST, (60 + 3) / 80),
        (DIGITS + DIGITS_OF_MILLISECONDS, 20 / 30),
        (EPOCHS + [{"N": "20240525"}] * 20, 0.5),
        ([{"N": "5"}], 0),
        ([{"BOOL": True}], 0),
        (WORDS, 0),
        ([], 0),
    ],
)
def test_what_formats_of_one_list_cannot_read_does_not_count(values: Values, share: float) -> None:
    found = times(values)
    assert found.share == share
    assert len(found.formats) <= 1


@pytest.mark.parametrize("values", [EPOCHS, DIGITS])
def test_numbers_are_no_times_if_nothing_says_so(values: Values) -> None:
    assert (times(values).share, times(values, is_named=False).share) == (1, 0)


def test_a_format_for_a_few_values_is_not_worth_it() -> None:
    assert times([*ISO * 5, *DOTS * 5, SLASHES[0]]).formats == ("%d.%m.%Y %H:%M",)
    assert times([*ISO * 6, SLASHES[0]]).formats == ()


def test_formats_that_read_as_many_texts_as_other_days_are_alternatives() -> None:
    ambiguous = [{"S": "05/06/2024"}]
    for values in (ambiguous, [*DOTS, *ambiguous]):
        found = times(values)
        assert {"%d/%m/%Y", "%m/%d/%Y"} == {found.formats[-1], *found.alternatives}
        assert found.share == 1


@pytest.mark.parametrize("text", ["1E+125", "-1E-130", f"{'9' * 17}.{'9' * 21}", "9" * 38])
def test_a_number_of_any_size_is_no_time(text: str) -> None:
    assert times([{"N": text}]).share == 0
    assert forms_of_times([{"N": text}]).total() == 1


def test_forms_are_counted_and_unknown_ones_are_shapes() -> None:
    values: Values = [*ISO, *EPOCHS[:3], {"S": "soon 7"}, {"S": "late 8"}]
    assert forms_of_times(values) == {"date and time": 20, "epoch seconds": 3, "String aaaa 9": 2}
