"""Finds the name that was probably meant."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

_ALIKE = 0.5
"""from 0 to 1: a name with a smaller similarity is not suggested"""


def closest_name(wanted: str, names: Sequence[str]) -> str | None:
    """Returns the name of `names` that is most similar to `wanted`, ignoring case, blanks and
    punctuation."""

    def plain(text: str) -> str:
        return re.sub(r"[^0-9a-z]", "", text.casefold())

    by_plain = {plain(name): name for name in reversed(names)}
    found = get_close_matches(plain(wanted), by_plain, n=1, cutoff=_ALIKE)
    return by_plain[found[0]] if found else None
