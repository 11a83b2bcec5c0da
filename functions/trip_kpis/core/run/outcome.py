"""What became of a day when a run published; `core.run.publication` decides it."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a day."""

    PUBLISHED = "published"
    """written by this run"""
    UNCHANGED = "unchanged"
    """its bytes were there already"""
    SUPERSEDED = "superseded"
    """a later run's figures are there, and stay"""
    VANISHED = "vanished"
    """published by an earlier run, no longer in the table; kept"""
    REMOVED = "removed"
    """the same, and removed"""
    SHRUNK = "shrunk"
    """has fewer trips now than were published; what is published was kept"""
    SKIPPED = "skipped"
    """open: it ends after the plan's time; what is published, if anything, was left as it is"""
    NOT_YET = "not_yet"
    """begins after the plan's time; never published"""
