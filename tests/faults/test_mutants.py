"""The instrument sees: each way to break the product on purpose shows within some schedules."""

from collections.abc import Iterator

import pytest

from tests.faults import mutants
from tests.faults.schedule import Variant, play

pytestmark = pytest.mark.slow


_ENOUGH = 2_000
"""schedules, of the ten thousand that `make faults-fast` plays"""


def differences(variant: Variant) -> Iterator[str]:
    """Of one schedule after the other."""
    for seed in range(_ENOUGH):
        for wrong in play(seed, variant).differences.values():
            yield from wrong


@pytest.mark.parametrize(
    ("variant", "shows"),
    [
        (mutants.OVERWRITING_PUTS, "was written once, and again"),
        (mutants.CURSOR_IN_THE_STATE, "though"),
        (mutants.MERGE_WITHOUT_A_LEASE, "kpi.json is"),
        (mutants.MERGE_TRUSTS_A_LISTING, "before it had read every segment to its end"),
        (mutants.FILES_FROM_THEIR_BEGINNING, "though"),
        (mutants.NO_MD5, "has finished over a damaged export"),
        (mutants.NO_COUNT, "UnbalancedCountsError"),
        (mutants.ANY_BEGINNING, " to kpis/"),
        (mutants.LAST_LINES_LOST, "between its cursors"),
        (mutants.LAST_LINES_LOST, "UnbalancedCountsError"),
        (mutants.MERGE_IGNORES_COUNTS, " to kpis/"),
        (mutants.CONTINUED_WITH_ANOTHER_EXPORT, "another export"),
    ],
    ids=[
        "overwriting puts",
        "cursor in the state",
        "merge without a lease",
        "merge trusts a listing",
        "files from their beginning",
        "no MD5",
        "no count",
        "any beginning",
        "last lines lost",
        "last lines lost, and the merge",
        "merge ignores counts",
        "continued with another export",
    ],
)
def test_a_broken_variant_is_caught(variant: Variant, shows: str) -> None:
    assert any(shows in wrong for wrong in differences(variant))
