"""`ops run --out DIR` replaces what a run has left there, and touches nothing else."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli.main import main
from ops.local.bucket_tree import remove_mirrored
from ops.local.out_directory import MARKER, StateError, check_out, claim_out
from ops.local.results import run_in_directory
from ops.local.state_directory import StateDirectory
from ops.runs.execution import Execution
from tests.runs_left import leave_run
from tests.unit.ops.local.test_state_directory import STACK, trips


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in directory.rglob("*")
        if file.is_file()
    }


def run_into(out: Path) -> str:
    """What the command says; it ends before it loads anything."""
    file = out.parent / "trips.csv"
    file.write_text("trip_id\nt1\n")
    done = CliRunner().invoke(main, ["run", "--trips", str(file), "--out", str(out)])
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


def test_an_empty_or_a_new_directory_is_marked_and_can_be_claimed_again(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "empty", tmp_path / "a" / "new"):
        claim_out(out)
        assert [one.name for one in out.iterdir()] == [MARKER]
        (out / "notes.txt").write_text("mine")
        claim_out(out)
        assert (out / "notes.txt").read_text() == "mine"


def test_a_directory_of_somebody_else_is_refused_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "photos"
    (out / "logs").mkdir(parents=True)
    (out / "logs" / "2024.txt").write_text("mine")
    before = tree(out)
    assert "is not empty (logs) and was not made by `ops run`" in run_into(out)
    with pytest.raises(StateError), StateDirectory(out).locked():
        pass
    assert tree(out) == before


def test_a_copy_of_a_bucket_is_refused_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "copy"
    leave_run(out)
    before = tree(out)
    assert "as a copy of a bucket has" in run_into(out)
    assert tree(out) == before


def test_what_an_earlier_version_left_is_known_by_its_state(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
    (tmp_path / "state" / "lock").touch()
    check_out(tmp_path)


@pytest.mark.parametrize(
    "link", ["kpis", "state", "logs", "report.html", "kpis/date=2024-05-25", "state/objects"]
)
def test_a_symbolic_link_is_not_followed(tmp_path: Path, link: str) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    claim_out(out)
    leave_run(elsewhere)
    before = tree(elsewhere)
    (out / link).parent.mkdir(exist_ok=True)
    (out / link).symlink_to(elsewhere / "kpis" if "kpis" in link else elsewhere)
    assert f"{link} is a symbolic link" in run_into(out)
    with pytest.raises(StateError, match="is a symbolic link"), StateDirectory(out).locked():
        pass
    remove_mirrored(out)
    assert tree(elsewhere) == before


def test_a_directory_that_is_reached_by_a_link_is_the_one_that_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    claim_out(tmp_path / "out")
    assert (tmp_path / "disk" / MARKER).is_file()


def test_reading_a_directory_writes_nothing_there(tmp_path: Path) -> None:
    """It may be read-only: that is no sign of another process."""
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
    state.note(Execution(run_id="run-1", name="run-1", input={}))
    before = tree(tmp_path)
    assert not run_in_directory(tmp_path, None).is_running
    assert tree(tmp_path) == before


def test_rerun_does_not_make_the_directory_that_it_is_given(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["rerun", "--out", str(tmp_path / "typo")])
    assert done.exit_code == 2
    assert "does not exist" in done.output
    assert not (tmp_path / "typo").exists()


def test_a_directory_that_has_only_those_of_other_runs_is_taken(tmp_path: Path) -> None:
    """`make demo` leaves out/demo, and the next step is often a run with --out out."""
    demo, out = tmp_path / "out" / "demo", tmp_path / "out"
    claim_out(demo)
    check_out(out)
    claim_out(out)
    (tmp_path / "mine" / "demo").mkdir(parents=True)
    with pytest.raises(StateError, match="was not made by"):
        check_out(tmp_path / "mine")
