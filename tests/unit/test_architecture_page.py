"""docs/architecture.md: its diagrams and tables are true of state machine, bucket and code."""

import json
import re
from itertools import product
from pathlib import Path

from checks.state_machine import Definition, is_end, scopes, targets
from tests.unit.test_architecture import HANDLER_NAMES, ROOT, imports, within

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DEFINITION = json.loads((ROOT / "statemachine" / "trip_kpis.asl.json").read_text(encoding="utf-8"))

Arrow = tuple[str, str]
FUNCTIONS = {"PlanRun", "ScanSegment", "MergePartials"}


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(text: str) -> list[str]:
    """What stands in backticks at the beginning of a table's rows."""
    return re.findall(r"^\| `(.+?)` \|", text, flags=re.MULTILINE)


def diagram(heading: str) -> list[str]:
    """The lines of the section's first diagram."""
    return section(heading).split("```mermaid\n", 1)[1].split("```", 1)[0].splitlines()


def arrows(lines: list[str]) -> set[Arrow]:
    """(from, to) of every arrow; one that points both ways is two."""
    found = set()
    for line in lines:
        if match := re.fullmatch(r"\s*(\S+) (<?)-->(?:\|.*?\|)? (\S+?)(:.*)?", line):
            start, both, end, _ = match.groups()
            found |= {(start, end)} | ({(end, start)} if both else set())
    return found


# What runs when


def states_of(scope: Definition) -> set[Arrow]:
    """The scope's transitions, as Mermaid writes them: [*] is where it begins and ends."""
    found = {("[*]", scope["StartAt"])}
    for name, state in scope["States"].items():
        found |= {(name, target) for target in targets(state)}
        found |= {(name, "[*]")} if is_end(state) else set()
    return found


def test_the_states_and_their_transitions_are_those_of_the_definition() -> None:
    lines = diagram("What runs when")
    start, end = (next(n for n, line in enumerate(lines) if mark in line) for mark in "{}")
    drawn = {"top": lines[:start] + lines[end + 1 :], "ScanSegments": lines[start + 1 : end]}
    assert lines[start].endswith("as ScanSegments {")
    defined = dict(scopes(DEFINITION))
    assert {name: arrows(of) for name, of in drawn.items()} == {
        name: states_of(scope) for name, scope in defined.items()
    }


def test_every_state_is_explained_but_the_ends() -> None:
    states = {
        name: state for _, scope in scopes(DEFINITION) for name, state in scope["States"].items()
    }
    explained = {name for name, state in states.items() if state["Type"] != "Succeed"}
    assert set(first_cells(section("What runs when"))) == explained


def names_in_and_out(state: str) -> tuple[set[str], set[str]]:
    """What stands in backticks in the last two cells of a state's row."""
    (row,) = re.findall(rf"^\| `{state}` \| (.+) \|$", section("What runs when"), re.MULTILINE)
    into, out = (set(re.findall(r"`(\w+)`", cell)) for cell in row.split(" | ")[-2:])
    return into, out


def keys(selected: Definition) -> set[str]:
    return {name.removesuffix(".$") for name in selected}


def test_what_goes_in_and_out_is_what_the_definition_hands_on() -> None:
    states = {
        name: state for _, scope in scopes(DEFINITION) for name, state in scope["States"].items()
    }
    payloads = {name: keys(states[name]["Parameters"]["Payload"]) for name in FUNCTIONS}
    for name in ("ScanSegment", "MergePartials"):
        assert names_in_and_out(name)[0] == payloads[name], name
    assert names_in_and_out("ScanSegment")[1] == keys(states["ScanSegment"]["ResultSelector"])
    of_the_map, of_a_segment = keys(states["ScanSegments"]["ItemSelector"]), {"segment"}
    assert names_in_and_out("ScanSegments") == (of_the_map - of_a_segment, set())
    handed_on = {*payloads["ScanSegment"], *payloads["MergePartials"], "max_concurrency"}
    assert names_in_and_out("PlanRun")[1] == (handed_on - of_a_segment) | {"source"}
    of_an_export = keys(states["PlanExport"]["Parameters"]["Payload"])
    assert names_in_and_out("PlanExport") == (of_an_export, handed_on - of_a_segment)


# What is written where

DRAWN_AS = {
    "plan": "plan.json",
    "frozen": "export.json",
    "exported": "exports/",
    "log": "part-",
    "budget": "read-budget-",
    "note": "standstill/",
    "rejected": "quarantine/",
    "kpis": "kpis/",
    "groups": "breakdowns/",
    "manifest": "runs/",
    "lease": "lease/",
}
"""the diagram's names of objects, and what is in their keys alone"""


def reported() -> set[Arrow]:
    """What the table says of the functions: (function, key) writes, (key, function) reads."""
    found = set()
    for key, writers, readers in re.findall(
        r"^\| `(.+?)` \| (.+?) \| (.+?) \|", section("What is written where"), flags=re.MULTILINE
    ):
        found |= {(one, key) for one in FUNCTIONS & set(writers.split(", "))}
        found |= {(key, one) for one in FUNCTIONS & set(readers.split(", "))}
    return found


def readers_of_the_table() -> set[Arrow]:
    """DynamoDB's own export is none of them."""
    drawn = arrows(diagram("What is written where"))
    return {(start, end) for start, end in drawn if start == "table" and end in FUNCTIONS}


def test_the_arrows_between_functions_and_objects_are_the_tables() -> None:
    keys = first_cells(section("What is written where"))
    key_of = {name: key for (name, mark), key in product(DRAWN_AS.items(), keys) if mark in key} | {
        name: name for name in FUNCTIONS
    }
    by_dynamodb = {("table", "exported")}
    drawn = arrows(diagram("What is written where")) - readers_of_the_table() - by_dynamodb
    assert {(key_of[start], key_of[end]) for start, end in drawn} == reported()


# The house


def test_every_folder_is_there_and_none_is_left_out() -> None:
    folders = first_cells(section("The house"))
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []
    with_python = {
        f"{path.parent.relative_to(ROOT)}/"
        for pattern in ("*/__init__.py", "*/__main__.py", "functions/trip_kpis/*/__init__.py")
        for path in ROOT.glob(pattern)
    }
    assert with_python <= set(folders)


PARTS = {
    "handlers": HANDLER_NAMES,
    "aws": {"trip_kpis.aws"},
    "core": {"trip_kpis.core"},
    "ops": {"ops"},
    "bench": {"bench"},
    "checks": {"checks"},
    "tests": {"tests"},
}
"""the diagram's names, and the packages that they stand for"""


def part_of(path: Path) -> str:
    below_functions = path.is_relative_to(ROOT / "functions")
    if not below_functions:
        return path.relative_to(ROOT).parts[0]
    return "handlers" if path.stem in HANDLER_NAMES else path.parent.name


def test_who_imports_whom() -> None:
    files = [
        *(ROOT / "functions").glob("*.py"),
        *(ROOT / "functions" / "trip_kpis").glob("*/*.py"),
        *(path for part in ("ops", "bench", "checks") for path in (ROOT / part).rglob("*.py")),
    ]
    found = {
        (part_of(path), part)
        for path in files
        for name in imports(path)
        for part, packages in PARTS.items()
        if any(within(name, package) for package in packages)
    }
    assert arrows(diagram("The house")) == {(start, end) for start, end in found if start != end}
