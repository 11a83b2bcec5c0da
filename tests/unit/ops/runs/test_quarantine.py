"""`ops quarantine`: what a run rejected, of a finished run and of one that is not."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.cli.main import main
from ops.runs.quarantine import rejections
from tests.runs_left import leave_run
from tests.samples import plan
from trip_kpis.core.items.rejections import Reason

FARE, TIME = str(Reason.FARE_NOT_A_NUMBER), str(Reason.TIME_MISSING)


def quarantine(out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["quarantine", "--out", str(out), *arguments])


def line(key: dict[str, dict[str, str]], *, value: Any = None, reason: str = FARE) -> str:
    document = {"key": key, "reason": reason, "attribute": "fare_amount", "value": value}
    return json.dumps(document) + "\n"


def rewrite_first(out: Path, *lines: str) -> Path:
    """The first segment's rejected trips are these."""
    (file,) = out.glob("quarantine/*/segment=00000/*.jsonl")
    file.write_text("".join(lines))
    return file


def not_finished(out: Path) -> None:
    """As a run that rejects too many leaves it: plan and every part, and no manifest."""
    (manifest,) = out.glob("runs/*/manifest.json")
    manifest.unlink()
    (out / "staging/run=run-1/plan.json").write_bytes(plan("run-1").to_bytes())


@pytest.mark.parametrize("finished", [True, False])
def test_trips_are_counted_by_reason_with_examples(tmp_path: Path, finished: bool) -> None:
    leave_run(tmp_path, segments=3, rejected=2)
    if not finished:
        not_finished(tmp_path)
    done = quarantine(tmp_path)
    assert done.exit_code == 0
    counts = [one.split() for one in done.output.splitlines() if one.endswith(" %")]
    assert counts == [[FARE, "6", "40.00", "%"]]
    assert ("so far (it is not finished)" in done.output) is not finished
    document = json.loads(quarantine(tmp_path, "run-1", "--json", "--examples", "5").output)
    assert (document["rejected"], document["completed"]) == ({FARE: 6}, 15)
    assert document["is_finished"] is finished
    keys = [one["key"]["trip_id"]["S"] for one in document["examples"]]
    assert keys == ["t-0-0", "t-0-1", "t-1-0", "t-1-1", "t-2-0"]


@pytest.mark.parametrize("finished", [True, False])
def test_objects_that_lost_a_race_do_not_count(tmp_path: Path, finished: bool) -> None:
    leave_run(tmp_path, rejected=1)
    if not finished:
        not_finished(tmp_path)
    lost = tmp_path / "quarantine/run=run-1/segment=00000/part-00000-00.jsonl"
    lost.write_text("not even JSON")
    assert quarantine(tmp_path, "--csv", str(tmp_path / "x.csv")).exit_code == 0
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 1 + 2


def test_without_an_id_it_is_the_run_that_began_last_finished_or_not(tmp_path: Path) -> None:
    leave_run(tmp_path)
    later = tmp_path / "staging/run=run-2/plan.json"
    later.parent.mkdir()
    later.write_text('{"planned_at": "2030-01-01T00:00:00+00:00"}')
    assert quarantine(tmp_path).output == (
        "Run run-2 has rejected no trip so far (it is not finished).\n"
    )


def test_one_reason_alone(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path, rejected=2)
    lines = [line({"id": {"S": f"{n}"}}, reason=[FARE, TIME][n % 2]) for n in range(2)]
    rewrite_first(tmp_path, *lines)
    document = json.loads(manifest.read_bytes())
    document["by_segment"][0]["rejected"] = {FARE: 1, TIME: 1}
    manifest.write_text(json.dumps(document))
    found = json.loads(quarantine(tmp_path, "--reason", TIME, "--json").output)
    assert found["rejected"] == {TIME: 1}
    assert [one["key"] for one in found["examples"]] == [{"id": {"S": "1"}}]
    quarantine(tmp_path, "--reason", TIME, "--csv", str(tmp_path / "x.csv"))
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 1 + 1
    nothing = quarantine(tmp_path, "--reason", "time_out_of_range")
    assert nothing.output == "Run run-1 has rejected no trip for time_out_of_range.\n"
    unknown = quarantine(tmp_path, "--reason", "bad_mood")
    assert unknown.exit_code == 2
    assert "'bad_mood' is not one of 'fare_wrong_type'" in unknown.output


def exported(out: Path) -> list[dict[str, str]]:
    file = out / "rejected.csv"
    done = quarantine(out, "--csv", str(file))
    assert done.exit_code == 0, done.output
    assert f"were written to {file}" in done.output
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_csv_has_them_all_and_the_value_as_it_was(tmp_path: Path) -> None:
    leave_run(tmp_path, segments=1, rejected=20)
    value = {"M": {"a": {"S": 'quote " comma , line\nZürich'}}}
    key = {"id": {"S": "t,1"}, "at": {"N": "-17.50"}, "raw": {"B": "AAE="}}
    rest = [line({name: {"S": "x"} for name in key}) for _ in range(19)]
    rewrite_first(tmp_path, line(key, value=value), *rest)
    rows = exported(tmp_path)
    assert len(rows) == 20
    assert json.loads(rows[0].pop("value")) == value
    assert rows[0] == {
        "run_id": "run-1", "segment": "0", "key.id": "t,1", "key.at": "-17.50", "key.raw": "AAE=",
        "reason": FARE, "attribute": "fare_amount",
    }  # fmt: skip
    assert rows[1]["value"] == "null"


@pytest.mark.parametrize(
    ("key", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1+cmd", "'+1+cmd"),
        ("-2-3", "'-2-3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\tx", "'\tx"),
        ("a;=1+2", "'a;'=1+2"),
        ("a;b;@x", "'a;b;'@x"),
        ("a\t=1", "'a\t'=1"),
        ("\uff1d1+2", "'\uff1d1+2"),
        ('a;"=1', "'a;\"'=1"),
        ("a;b", "a;b"),
        ("-17.5", "-17.5"),
        ("+4930", "+4930"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_no_key_becomes_a_formula(tmp_path: Path, key: str, cell: str) -> None:
    leave_run(tmp_path, segments=1, rejected=1)
    rewrite_first(tmp_path, line({"id": {"S": key}}))
    (row,) = exported(tmp_path)
    assert row["key.id"] == cell


@pytest.mark.parametrize(
    "text", ["a;=HYPERLINK(1)", "a; -2-3", "a|+1", "a;\uff1d1", "a, -5", "a\t=1", "x;y", "=1"]
)
def test_no_value_becomes_a_formula_and_each_stays_the_same_json(tmp_path: Path, text: str) -> None:
    leave_run(tmp_path, segments=1, rejected=1)
    rewrite_first(tmp_path, line({"id": {"S": "1"}}, value={"S": text}))
    (row,) = exported(tmp_path)
    assert json.loads(row["value"]) == {"S": text}
    assert not re.search("[;|\t]\\s*[-=+@\uff1d]", row["value"])


def test_no_name_of_a_key_attribute_becomes_a_formula(tmp_path: Path) -> None:
    leave_run(tmp_path, segments=1, rejected=1)
    rewrite_first(tmp_path, line({"id;=1": {"S": "1"}}))
    (row,) = exported(tmp_path)
    assert "'key.id;'=1" in row


def test_a_run_that_rejected_nothing_has_a_csv_of_its_head(tmp_path: Path) -> None:
    leave_run(tmp_path)
    assert exported(tmp_path) == []
    assert (tmp_path / "rejected.csv").read_text().startswith("run_id,segment,reason,")


def test_what_has_expired_is_said(tmp_path: Path) -> None:
    leave_run(tmp_path, rejected=2)
    expired, _ = sorted(tmp_path.glob("quarantine/*/*/*.jsonl"))
    expired.unlink()
    file = tmp_path / "rejected.csv"
    said = quarantine(tmp_path, "--csv", str(file)).output
    assert "Only 2 of 4 rejected trips, the others are not under quarantine/ any more, were" in said
    assert json.loads(quarantine(tmp_path, "--csv", str(file), "--json").output)["exported"] == 2
    for left in tmp_path.glob("quarantine/*/*/*.jsonl"):
        left.unlink()
    said = quarantine(tmp_path).output
    assert [FARE, "4"] in [one.split()[:2] for one in said.splitlines()]
    assert "The trips themselves are not here" in said


def test_a_csv_that_cannot_be_written_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    leave_run(tmp_path, rejected=1)
    file = tmp_path / "not there/rejected.csv"
    done = quarantine(tmp_path, "--csv", str(file))
    assert done.exit_code == 2
    assert done.output == (
        f"Error: {file} cannot be written (No such file or directory): name another file with "
        "--csv\n"
    )


@pytest.mark.parametrize("damage", ["nonsense\n", "[]\n", "{}\n", line({"id": "no type"})])  # type: ignore[dict-item]
def test_damage_is_named_and_leaves_the_csv_as_it_was(tmp_path: Path, damage: str) -> None:
    leave_run(tmp_path, segments=1, rejected=2)
    file = tmp_path / "rejected.csv"
    file.write_text("before")
    damaged = rewrite_first(tmp_path, line({"id": {"S": "1"}}), damage)
    done = quarantine(tmp_path, "--examples", "0", "--csv", str(file))
    assert done.exit_code == 2
    assert done.output.startswith(
        f"Error: {damaged}, line 2, is no rejected trip that this version"
    )
    assert file.read_text() == "before"
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "kpis", "quarantine", "rejected.csv", "runs", "staging",
    ]  # fmt: skip


def test_no_run_and_no_such_run_say_what_there_is_to_do(tmp_path: Path) -> None:
    none = quarantine(tmp_path)
    assert (none.exit_code, none.output.count("\n")) == (2, 1)
    assert f"{tmp_path} has no run that has a plan" in none.output
    leave_run(tmp_path)
    unknown = quarantine(tmp_path, "run-9")
    assert (unknown.exit_code, unknown.output.count("\n")) == (2, 1)
    assert "has no run run-9" in unknown.output
    assert f"python -m ops runs --out {tmp_path}" in unknown.output


def test_few_objects_are_enough_for_examples_of_every_reason(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path, segments=4, rejected=3)
    document = json.loads(manifest.read_bytes())
    document["by_segment"][3]["rejected"] = {TIME: 3}
    manifest.write_text(json.dumps(document))
    of = rejections(tmp_path, "run-1")
    chosen = [key.split("/")[2] for key in of.keys_with(5)]
    assert chosen == ["segment=00000", "segment=00001", "segment=00003"]
    assert of.keys_with(0) == ()
    assert len(of.keys) == 4
