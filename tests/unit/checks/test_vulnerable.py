"""Known vulnerabilities fail the check; what could not be checked is never said to be without."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checks.vulnerable import Audit, audit_of, lines, status
from tests.sam.test_packaging import PACKAGING, ROOT, STEMS, pins

FOUND = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [
        {"id": "PYSEC-2021-66", "fix_versions": ["2.11.3"], "aliases": [], "description": "ReDoS"},
        {"id": "PYSEC-2030-1", "fix_versions": [], "aliases": [], "description": "new"},
    ],
}
CLEAN = {"name": "click", "version": "8.4.0", "vulns": []}
SKIPPED = {"name": "six", "skip_reason": "Dependency not found and could not be audited: six"}


def auditor(directory: Path, *, prints: str = "", complains: str = "", exits: int = 0) -> Path:
    """A program that answers as pip-audit does."""
    script = directory / "pip-audit"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nprint({prints!r}, end='')\n"
        f"print({complains!r}, file=sys.stderr)\nsys.exit({exits})\n"
    )
    script.chmod(0o755)
    return script


def check(program: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "checks.vulnerable", "--auditor", str(program), *options]
    return subprocess.run(
        [*command, "lock.txt"], cwd=ROOT, capture_output=True, text=True, check=False
    )


def report(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_packages_without_known_vulnerabilities_pass(tmp_path: Path) -> None:
    done = check(auditor(tmp_path, prints=report(CLEAN)), "--required")
    assert (done.returncode, done.stdout) == (
        0,
        "No known vulnerability in 1 packages: lock.txt.\n",
    )


def test_a_known_vulnerability_fails_with_its_id_and_what_fixes_it(tmp_path: Path) -> None:
    done = check(auditor(tmp_path, prints=report(CLEAN, FOUND), exits=1))
    assert done.returncode == 1
    assert "jinja2 2.4.1 has PYSEC-2021-66, fixed in 2.11.3 (lock.txt)" in done.stdout
    assert "jinja2 2.4.1 has PYSEC-2030-1, which no version fixes yet" in done.stdout
    assert "No known vulnerability" not in done.stdout


@pytest.mark.parametrize(
    ("answer", "exits"),
    [
        ({"complains": "ConnectionError: no such host"}, 1),
        # pip-audit's own status is 0 where it has skipped every package.
        ({"prints": report(SKIPPED)}, 0),
    ],
)
def test_what_could_not_be_checked_is_said_and_fails_only_where_it_is_required(
    tmp_path: Path, answer: dict[str, str], exits: int
) -> None:
    program = auditor(tmp_path, exits=exits, **answer)
    done = check(program)
    assert done.returncode == 0
    assert done.stdout.startswith("NOT CHECKED for known vulnerabilities: all packages of lock.txt")
    assert "No known vulnerability" not in done.stdout
    assert check(program, "--required").returncode == 1


def test_packages_that_were_skipped_are_counted_apart_from_those_that_were_checked() -> None:
    audit = audit_of("lock.txt", {"dependencies": [CLEAN, SKIPPED]})
    assert (audit.checked, len(audit.unchecked)) == (1, 1)
    (line,) = lines([audit])
    assert line.startswith("NOT CHECKED for known vulnerabilities: 1 packages of lock.txt")


def test_one_vulnerable_file_fails_all() -> None:
    clean = Audit(lock_file="a.txt", checked=1)
    vulnerable = Audit(lock_file="b.txt", checked=1, vulnerable=("x 1 has Y",))
    assert status([clean], required=True) == 0
    assert status([clean, vulnerable], required=False) == 1


def test_the_files_that_make_security_audits_have_every_locked_package() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (listed,) = [
        line.partition(":=")[2].split()
        for line in makefile.splitlines()
        if line.startswith("AUDITED :=")
    ]
    files = [
        ROOT / name.replace("$(PACKAGED)", "functions/packaging/requirements") for name in listed
    ]
    audited = {
        (name, version) for file in files for name, found in pins(file).items() for version in found
    }
    every = [PACKAGING / "requirements" / f"{stem}.txt" for stem in STEMS]
    every += sorted((ROOT / "requirements").glob("*.txt"))
    for file in every:
        locked = {(name, version) for name, found in pins(file).items() for version in found}
        assert locked <= audited, file
