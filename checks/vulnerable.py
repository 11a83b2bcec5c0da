"""Checks locked packages for known vulnerabilities, and says which could not be checked.

    python -m checks.vulnerable --auditor .venv-security/bin/pip-audit [--required] LOCK_FILE ...

pip-audit asks the OSV database of advisories, which needs the internet. Exits with 1 if a package
has a known vulnerability. What could not be checked is printed, and fails only with `--required`:
whether a database can be reached says nothing about the packages.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The result for one lock file's packages."""

    lock_file: str
    checked: int = 0
    vulnerable: tuple[str, ...] = ()
    """a line for each known vulnerability"""
    unchecked: tuple[str, ...] = ()
    """why, for each package that was not checked, or for the whole file"""


def audit_of(lock_file: str, report: Any) -> Audit:
    """Reads pip-audit's JSON report. A package that it skipped has not been checked, although
    pip-audit itself succeeds."""
    dependencies = report["dependencies"]
    skipped = [one for one in dependencies if "skip_reason" in one]
    return Audit(
        lock_file=lock_file,
        checked=len(dependencies) - len(skipped),
        vulnerable=tuple(
            f"{one['name']} {one['version']} has {vulnerability['id']}, "
            + (
                f"fixed in {', '.join(vulnerability['fix_versions'])}"
                if vulnerability["fix_versions"]
                else "which no version fixes yet"
            )
            for one in dependencies
            for vulnerability in one.get("vulns", ())
        ),
        unchecked=tuple(one["skip_reason"] for one in skipped),
    )


def audited(auditor: Path, lock_file: Path) -> Audit:
    """Runs pip-audit. It prints its report whether or not it finds something, and an error instead
    where it cannot reach the database."""
    command = [str(auditor), "--require-hashes", "--disable-pip", "--requirement", str(lock_file)]
    command += ["--vulnerability-service", "osv", "--timeout", "15"]
    command += ["--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return audit_of(str(lock_file), json.loads(done.stdout))
    except ValueError:
        said = done.stderr.strip().splitlines() or [f"pip-audit exited with {done.returncode}"]
        return Audit(lock_file=str(lock_file), unchecked=(said[-1],))


def lines(audits: Sequence[Audit]) -> list[str]:
    """Returns the lines to print, the vulnerabilities first."""
    found = [
        f"KNOWN VULNERABILITY: {vulnerability} ({audit.lock_file}): lock a version without it"
        for audit in audits
        for vulnerability in audit.vulnerable
    ]
    for audit in audits:
        if audit.unchecked:
            found.append(
                f"NOT CHECKED for known vulnerabilities: {_how_many(audit)} of {audit.lock_file} "
                f"({audit.unchecked[0]}). Run `make security` where the internet can be reached."
            )
        elif not audit.vulnerable:
            found.append(f"No known vulnerability in {audit.checked} packages: {audit.lock_file}.")
    return found


def _how_many(audit: Audit) -> str:
    whole = audit.checked == 0
    return "all packages" if whole else f"{len(audit.unchecked)} packages"


def status(audits: Sequence[Audit], *, required: bool) -> int:
    """Returns the exit status."""
    unchecked = any(audit.unchecked for audit in audits)
    return int(any(audit.vulnerable for audit in audits) or (required and unchecked))


def main() -> int:
    parser = argparse.ArgumentParser(description="Check locked packages for vulnerabilities.")
    parser.add_argument("lock_files", type=Path, nargs="+", metavar="LOCK_FILE")
    parser.add_argument("--auditor", type=Path, required=True)
    parser.add_argument("--required", action="store_true")
    asked = parser.parse_args()
    audits = [audited(asked.auditor, lock_file) for lock_file in asked.lock_files]
    print(*lines(audits), sep="\n")
    return status(audits, required=asked.required)


if __name__ == "__main__":
    sys.exit(main())
