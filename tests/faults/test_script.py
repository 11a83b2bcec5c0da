"""A schedule's faults are drawn from its seed, written down, and injected again where they were."""

import random
from pathlib import Path

import pytest

from tests.faults.faults import Fault
from tests.faults.script import Drawn, Injected, Script

QUESTIONS = ["Scan 0", "Scan 1", "PUT part", "Scan 0", "PUT part", "deliver ScanSegment"] * 5


def often(rng: random.Random) -> Drawn | None:
    return (rng.choice(list(Fault)), rng.random()) if rng.random() < 0.5 else None


def never(_rng: random.Random) -> Drawn | None:
    raise AssertionError("a replay draws nothing")


def played(seed: int) -> Script:
    script = Script(seed)
    for execution in range(2):
        script.begin(execution)
        for question in QUESTIONS:
            script.at(question, often)
        script.end()
    return script


def test_a_seed_draws_the_same_whatever_the_order_of_different_questions() -> None:
    forwards, sorted_ = Script(7), Script(7)
    for script, questions in ((forwards, QUESTIONS), (sorted_, sorted(QUESTIONS))):
        script.begin(0)
        for question in questions:
            script.at(question, often)
    assert set(forwards.injected) == set(sorted_.injected)
    assert len(forwards.injected) > 3


def test_a_replay_injects_exactly_what_its_file_has(tmp_path: Path) -> None:
    first = played(7)
    file = tmp_path / "faults" / "slow-7.json"
    first.save(file)
    again = Script.load(file)
    assert again.seed == 7
    for execution in range(2):
        again.begin(execution)
        for question in sorted(QUESTIONS):
            again.at(question, never)
    assert set(again.injected) == set(first.injected)
    assert again.left_out == 0


def test_a_replay_leaves_out_what_is_not_asked_so_often() -> None:
    twice = Injected(execution=0, question="Scan 0", occurrence=2, fault=Fault.CUT)
    script = Script(7, [twice])
    script.begin(0)
    assert script.at("Scan 0", never) is None
    assert script.left_out == 1
    assert script.at("Scan 0", never) == twice
    assert script.left_out == 0


def test_nothing_happens_outside_of_an_execution() -> None:
    script = Script(7)
    assert script.at("Scan 0", never) is None
    script.begin(0)
    script.end()
    assert script.at("Scan 0", never) is None


@pytest.mark.parametrize("text", ["", "[]", '{"seed": 1}', '{"seed": 1, "faults": [{"fault": 3}]}'])
def test_a_file_that_is_none_of_a_schedules_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json is no file of a schedule's faults"):
        Script.load(file)
