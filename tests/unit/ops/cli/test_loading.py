"""A verb loads what it needs when it is called: by the modules of a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops.cli.main import MISTAKE, main

ROOT = Path(__file__).resolve().parents[4]
HEAVY = {"moto", "samtranslator", "pandas", "plotly", "pyarrow", "ops.embedded"}
PROGRAM = """
import json, sys
from ops.cli.main import main
try:
    main(sys.argv[1:], prog_name="ops")
except SystemExit as ended:
    print(json.dumps([ended.code, [*sys.modules]]))
"""
VERBS = main.list_commands(click.Context(main))


def ended(home: Path, *arguments: str) -> tuple[int, set[str], str]:
    """Exit status, what was loaded, and what was shown, with no credentials for any account."""
    environment = {
        "HOME": str(home), "PATH": os.environ["PATH"], "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    shown, _, last = done.stdout.rstrip().rpartition("\n")
    status, modules = json.loads(last)
    return status, set(modules), shown + done.stderr


def test_help_loads_no_aws_at_all(tmp_path: Path) -> None:
    status, modules, shown = ended(tmp_path, "--help")
    assert (status, "Usage: ops" in shown) == (0, True)
    assert not modules & {*HEAVY, "boto3", "botocore"}


def test_a_typo_loads_no_aws_and_gets_a_suggestion(tmp_path: Path) -> None:
    status, modules, shown = ended(tmp_path, "statsu")
    assert (status, "Did you mean status?" in shown) == (MISTAKE, True)
    assert not modules & {*HEAVY, "boto3", "botocore"}


@pytest.mark.parametrize(
    "call",
    ["diff a b", "estimate", "kpis", "quarantine", "report", "rerun", "run", "runs", "status",
     "status --follow"],
)  # fmt: skip
def test_up_to_the_first_call_of_aws_a_stacks_verb_loads_its_client_alone(
    tmp_path: Path, call: str
) -> None:
    status, modules, shown = ended(tmp_path, *call.split(), "--stack", "trip-kpis")
    assert (status, "asking AWS for the stack trip-kpis" in shown) == (MISTAKE, True)
    assert "boto3" in modules
    assert not modules & HEAVY


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_has_an_example_and_loads_no_aws(tmp_path: Path, verb: str) -> None:
    status, modules, shown = ended(tmp_path, verb, "--help")
    assert (status, f"\n  ops {verb}" in shown) == (0, True)
    assert not modules & {*HEAVY, "boto3", "botocore"}


def test_the_list_of_verbs_has_whole_sentences() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=80).output
    listed = shown.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == VERBS
    for line in listed:
        assert line.endswith("."), line
        assert not line.endswith("..."), line


def test_what_is_like_no_verb_gets_no_suggestion() -> None:
    done = CliRunner().invoke(main, ["zzz"])
    assert (done.exit_code, "Did you mean" in done.output) == (MISTAKE, False)
