"""The format of times that were rejected is found, if they decide it."""

import pytest

from ops.runs.time_formats import _formats, formats_of
from tests.samples import plan
from trip_kpis.core.items.time_formats import check_format

RULES = plan().rules


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["25.05.2024 13:19"], ["%d.%m.%Y %H:%M"]),
        (["5/13/2024 1:05 PM"], ["%m/%d/%Y %I:%M %p"]),
        (["20240525"], ["%Y%m%d"]),
        (["202405251319"], ["%Y%m%d%H%M"]),
        (["1716642000"], ["epoch_seconds"]),
        (["1716642000123"], ["epoch_milliseconds"]),
        (["1-Jan-24 00:00"], ["%d-%b-%y %H:%M"]),
        (["May 25, 2024, 13:19:01"], ["%b %d, %Y, %H:%M:%S"]),
        (["25.05.2024T13:19:01+02:00"], ["%d.%m.%YT%H:%M:%S%z"]),
        (["25.05.2024 13:19:01 UTC"], ["%d.%m.%Y %H:%M:%S UTC"]),
        (["2024/05/06 10:00"], ["%Y/%m/%d %H:%M"]),
        # The second one decides: there is no 25th month.
        (["05/06/2024", "25/06/2024"], ["%d/%m/%Y"]),
        (["05/06/2024"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["05-06-07"], ["%d-%m-%y", "%m-%d-%y", "%y-%m-%d"]),
        (["06/06/2024"], ["%d/%m/%Y"]),
        # The most frequent form wins.
        (["25/05/2024", "25.05.2024", "26.05.2024"], ["%d.%m.%Y"]),
        (["some day", "", "2024-02-30", "12.13.2024 25:00"], []),
        # Read as epoch seconds, it would be in 1970.
        (["99999999"], []),
        ([], []),
    ],
)
def test_the_format_that_reads_the_most_is_found(texts: list[str], expected: list[str]) -> None:
    assert formats_of(texts, RULES) == tuple(expected)


def test_every_format_may_be_given_as_a_parameter() -> None:
    for one in _formats():
        assert check_format(one, setting="TimeFormats") == one
