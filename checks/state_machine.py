"""Checks that a state machine's graph is complete. What is asked for must be there, at any depth.

`sam validate` passes a definition that jumps to a state that is not there; Step Functions refuses
it only on deployment, and an endless loop not even then.

    python -m checks.state_machine statemachine/trip_kpis.asl.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Definition = dict[str, Any]


def graph_faults(definition: Definition) -> list[str]:
    """Returns the faults of the definition's graph, a line each; nothing if it is complete."""
    return [fault for where, scope in scopes(definition) for fault in _scope_faults(where, scope)]


def scopes(scope: Definition, name: str = "top") -> Iterator[tuple[str, Definition]]:
    """Yields every set of states that can jump to one another: the top level, the inside of each
    Map and each branch of a Parallel."""
    yield name, scope
    for state_name, state in scope["States"].items():
        for inner in (state.get("ItemProcessor"), *state.get("Branches", [])):
            if inner is not None:
                yield from scopes(inner, state_name)


def targets(state: Definition) -> set[str]:
    """Returns the states that this one may go to."""
    jumps = [state, *state.get("Choices", []), *state.get("Catch", [])]
    found = {jump["Next"] for jump in jumps if "Next" in jump}
    return found | ({state["Default"]} if "Default" in state else set())


def is_end(state: Definition) -> bool:
    return state["Type"] in {"Succeed", "Fail"} or state.get("End") is True


def _scope_faults(where: str, scope: Definition) -> Iterator[str]:
    states = scope["States"]
    if scope["StartAt"] not in states:
        yield f"{where}: StartAt {scope['StartAt']} is not there"
    for name, state in states.items():
        for missing in sorted(targets(state) - states.keys()):
            yield f"{where}: {name} goes to {missing}, which is not there"
        if state["Type"] == "Choice" and "Default" not in state:
            yield f"{where}: {name} has no Default"
        one_of_both = state["Type"] not in {"Choice", "Succeed", "Fail"}
        if one_of_both and is_end(state) == ("Next" in state):
            yield f"{where}: {name} needs one of Next and End"
        if state["Type"] == "Map" and "ItemProcessor" not in state:
            yield f"{where}: {name} has no ItemProcessor"
    onward = {name: targets(state) for name, state in states.items()}
    reached = _closure({scope["StartAt"]}, onward)
    yield from (f"{where}: {name} is never reached" for name in states.keys() - reached)
    backward: dict[str, set[str]] = {}
    for name, aims in onward.items():
        for aim in aims:
            backward.setdefault(aim, set()).add(name)
    ending = _closure({name for name, state in states.items() if is_end(state)}, backward)
    yield from (f"{where}: from {name} no end is reached" for name in states.keys() - ending)


def _closure(start: set[str], steps: dict[str, set[str]]) -> set[str]:
    """Returns everything that can be reached from `start`."""
    found, open_ends = set(start), list(start)
    while open_ends:
        for name in steps.get(open_ends.pop(), set()) - found:
            found.add(name)
            open_ends.append(name)
    return found


if __name__ == "__main__":
    faults = [
        f"{path}: {fault}"
        for path in sys.argv[1:]
        for fault in graph_faults(json.loads(Path(path).read_text(encoding="utf-8")))
    ]
    print(
        "\n".join(faults) or "Every state is reached, goes to one that exists, and comes to an end."
    )
    sys.exit(bool(faults))
