"""Answers that break on their way, every time: tried again, and never taken for what was sent."""

from collections.abc import Callable
from unittest.mock import patch

import pytest

from tests.faults.faults import Fault, Faults
from tests.faults.http_calls import Call
from tests.faults.schedule import play


def is_scan(call: Call) -> bool:
    return call.operation == "Scan"


def is_of_piece(call: Call) -> bool:
    return call.is_of_piece


@pytest.mark.parametrize(("seed", "concerns"), [(0, is_scan), (2, is_of_piece)])
def test_what_is_broken_on_its_way_is_never_taken_however_often_it_comes(
    seed: int, concerns: Callable[[Call], bool]
) -> None:
    def every_answer_is_broken(faults: Faults, call: Call) -> Fault | None:
        return Fault.BODY_BROKEN if faults.is_on and concerns(call) else None

    with patch.object(Faults, "at_call", every_answer_is_broken):
        counts = play(seed)

    assert counts.differences == {}
    assert counts.faults[Fault.BODY_BROKEN] > 20
    assert counts.errors["TransientError"] > 0
