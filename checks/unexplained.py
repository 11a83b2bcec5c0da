"""Compares what checkov finds with what is explained; both must be the same.

python -m checks.unexplained report.json
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

EXPLAINED = Path(__file__).with_name("explained.toml")

Found = set[tuple[str, str]]
"""(id of the check, type of the resource) pairs"""


def found(report: Any) -> Found:
    """Returns what failed in checkov's JSON report. Raises ValueError if nothing was checked at
    all."""
    reports = report if isinstance(report, list) else [report]
    if not any(one.get("summary", {}).get("passed") for one in reports):
        raise ValueError("checkov has checked nothing")
    return {
        (failed["check_id"], failed["resource"].partition(".")[0])
        for one in reports
        for failed in one["results"]["failed_checks"]
    }


def explained(text: str) -> Found:
    """Returns the findings that are explained. Raises ValueError for one without a reason."""
    explanations = tomllib.loads(text)
    if bare := [check for check, one in explanations.items() if not one.get("why", "").strip()]:
        raise ValueError(f"no reason is given for {', '.join(bare)}")
    return {(check, kind) for check, one in explanations.items() for kind in one["on"]}


def faults(findings: Found, explanations: Found) -> list[str]:
    return [
        *(
            f"{check} fails on {kind}, unexplained"
            for check, kind in sorted(findings - explanations)
        ),
        *(
            f"{check} is explained for {kind}, and fails there no more"
            for check, kind in sorted(explanations - findings)
        ),
    ]


if __name__ == "__main__":
    findings = found(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    wrong = faults(findings, explained(EXPLAINED.read_text(encoding="utf-8")))
    checks = len({check for check, _ in findings})
    print("\n".join(wrong) or f"{checks} checks of checkov fail, and {EXPLAINED.name} says why.")
    sys.exit(bool(wrong))
