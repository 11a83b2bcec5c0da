"""Answers that break on their way, every time: tried again, and never taken for what was sent."""

from unittest.mock import patch

from tests.faults.faults import Fault, Faults
from tests.faults.http_calls import Call
from tests.faults.schedule import play


def test_a_page_with_a_wrong_checksum_is_never_taken_however_often_it_comes() -> None:
    def every_page_is_broken(faults: Faults, call: Call) -> Fault | None:
        return Fault.BODY_BROKEN if faults.is_on and call.operation == "Scan" else None

    with patch.object(Faults, "at_call", every_page_is_broken):
        counts = play(3)

    assert counts.differences == {}
    assert counts.faults[Fault.BODY_BROKEN] > 20
    assert counts.errors["TransientError"] > 0
