"""The graph check looks into every Map and every branch, however deep."""

from typing import Any

import pytest

from checks.state_machine import graph_faults


def nested(innermost: dict[str, Any], *kinds: str) -> dict[str, Any]:
    """A definition with `innermost` for the states within a state of each kind."""
    scope = {"StartAt": "Inner", "States": {"Inner": innermost}}
    for depth, kind in enumerate(reversed(kinds)):
        inside = {"Map": {"ItemProcessor": scope}, "Parallel": {"Branches": [scope]}}[kind]
        name = f"{kind}{depth}"
        scope = {"StartAt": name, "States": {name: {"Type": kind, "End": True, **inside}}}
    return scope


@pytest.mark.parametrize(
    "kinds", [(), ("Map",), ("Parallel",), ("Map", "Parallel"), ("Parallel", "Map", "Map")]
)
def test_a_target_that_is_not_there_is_found_at_any_depth(kinds: tuple[str, ...]) -> None:
    assert graph_faults(nested({"Type": "Pass", "End": True}, *kinds)) == []
    for lost in (
        {"Type": "Pass", "Next": "Nowhere"},
        {"Type": "Choice", "Choices": [{"Next": "Nowhere"}], "Default": "Inner"},
        {"Type": "Task", "End": True, "Catch": [{"Next": "Nowhere"}]},
    ):
        faults = graph_faults(nested(lost, *kinds))
        assert any("Inner goes to Nowhere, which is not there" in fault for fault in faults)
