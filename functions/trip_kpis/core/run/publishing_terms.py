"""Which days a run would rather leave as they are published: three of the stack's parameters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingTerms:
    """The stack's parameters about days that a run would rather not replace or keep."""

    remove_vanished_days: bool = False
    """VanishedDays: `remove`"""
    keep_shrunk_days: bool = False
    """ShrunkDays: `keep`"""
    skip_open_days: bool = False
    """OpenDays: `skip`"""
