"""The results of a number of schedules."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Totals:
    """The results of one schedule, or of many: `+` adds them up."""

    schedules: int = 0
    of_exports: int = 0
    """schedules whose faults hit a run that reads an export"""
    invocations: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed_and_continued: int = 0
    """executions that failed and whose run was then continued"""
    errors: Counter[str] = field(default_factory=Counter)
    """that executions failed with"""
    pages: int = 0
    pages_scanned_twice: int = 0
    differences: dict[int, list[str]] = field(default_factory=dict)
    """seed -> what was wrong"""

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            schedules=self.schedules + other.schedules,
            of_exports=self.of_exports + other.of_exports,
            invocations=self.invocations + other.invocations,
            faults=self.faults + other.faults,
            failed_and_continued=self.failed_and_continued + other.failed_and_continued,
            errors=self.errors + other.errors,
            pages=self.pages + other.pages,
            pages_scanned_twice=self.pages_scanned_twice + other.pages_scanned_twice,
            differences=self.differences | other.differences,
        )

    def lines(self) -> list[str]:
        """Returns the lines to print."""
        figures = [
            ("schedules", self.schedules),
            ("  of runs that read an export", self.of_exports),
            ("invocations", self.invocations),
            ("faults injected", self.faults.total()),
            *((f"  {kind}", count) for kind, count in self.faults.most_common()),
            ("runs that failed and were continued", self.failed_and_continued),
            *((f"  {error}", count) for error, count in self.errors.most_common()),
            ("pages scanned", self.pages),
            ("pages scanned twice", self.pages_scanned_twice),
            ("differences", len(self.differences)),
        ]
        return [f"{what:<56}{count:>10,}" for what, count in figures]
