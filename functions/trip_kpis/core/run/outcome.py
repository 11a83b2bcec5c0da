"""What became of a day when a run published; `core.run.publication` decides it."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a day."""

    PUBLISHED = "published"
    """this run has written it"""
    UNCHANGED = "unchanged"
    """its bytes were published already"""
    SUPERSEDED = "superseded"
    """a later run's figures are published, and stay"""
    VANISHED = "vanished"
    """published by an earlier run, no longer in the table; kept"""
    REMOVED = "removed"
    """published by an earlier run, no longer in the table; removed"""
    SHRUNK = "shrunk"
    """it has fewer trips now than were published; the published figures were kept"""
    SKIPPED = "skipped"
    """it ends after the plan's time; published figures, if any, were not changed"""
    NOT_YET = "not_yet"
    """it begins after the plan's time; it is never published"""
