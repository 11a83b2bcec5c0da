"""Proposes a first KPI definition for the items of a table, with comments that explain it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.local.recognized_columns import ENOUGH, Column, Recognized

_MOST_SHOWN = 8
_MOST_UNREAD = 4
_ACTIVE_BREAKDOWNS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The text of a definition, and the reasons for it."""

    text: str
    reasons: Sequence[str]
    parameters: Mapping[str, str]
    """parameters of the stack that it also needs"""


class NothingRecognizedError(Exception):
    """No column has a time, which every definition needs. The message says what was looked for."""


def propose(found: Recognized, *, source: str, items: int) -> Proposal:
    """Proposes a definition for what was recognized."""
    if not found.times:
        raise NothingRecognizedError(_no_times(found, source))
    day, *other_times = found.times
    formats, alternatives = day.times.formats, day.times.alternatives
    time_formats = "|".join(formats)
    reasons = [f"{day.name}: the time that decides the day"]
    lines = [
        f"# KPI definition, proposed from {items:,} items of {_one_line(source)}.",
        "# docs/definitions.md says what else it can have.",
        "",
        "[item]",
        f"day = {_text(day.name)}  # the time that decides an item's day",
        "# A time without an offset is in the time zone of the parameter TimeZone; UTC by default.",
    ]
    if other_times:
        lines.append(f"# Other times: {', '.join(map(_text, _names(other_times)))}")
    if formats:
        reasons[0] += f", in the form {' or '.join(formats)} (TimeFormats)"
        lines.append(f"# Its times need the parameter TimeFormats: {time_formats}")
    reasons.append("a time without an offset: in the zone of TimeZone, by default UTC")
    if alternatives:
        reasons[0] += f"; {' or '.join(alternatives)} would read it, too: check which is right"
        lines.append(f"# These formats read them, too, as other days: {', '.join(alternatives)}")
    if found.null_words:
        words = ", ".join(map(_text, found.null_words))
        lines.append(f"null_values = [{words}]  # Strings that mean that there is no value")
        reasons.append(f"{words}: read as no value")
    lines += _where(found.status, reasons)
    kpis = _kpis(found.amounts, reasons)
    taken = {"date", *(line.partition(" = ")[0] for line in kpis)}
    free = [one for one in found.categories if one.path[-1] not in taken]
    lines += [*kpis, *_breakdowns(free, reasons)]
    return Proposal(
        text="\n".join(lines) + "\n",
        reasons=reasons,
        parameters={"TimeFormats": time_formats} if formats else {},
    )


def _no_times(found: Recognized, source: str) -> str:
    by_hand = (
        "The day of an item is that of a time: write the definition by hand (docs/definitions.md), "
        "with TimeFormats for the form"
    )
    if not found.unread_times:
        return f"no column of {source} has times in a known form. {by_hand}"
    forms = "; ".join(map(_forms, found.unread_times[:_MOST_UNREAD]))
    return (
        f"no column of {source} has times in a known form in at least {ENOUGH * 100:.0f} % of its "
        f"values. These may be times: {forms}. {by_hand}"
    )


def _forms(column: Column) -> str:
    forms = column.forms_of_times
    shown = forms.most_common(_MOST_UNREAD)
    others = forms.total() - sum(count for _, count in shown)
    counts = ", ".join(f"{count:,} {form}" for form, count in shown)
    return f"{column.name} ({counts}{f', {others:,} in other forms' if others else ''})"


def _where(status: Column | None, reasons: list[str]) -> list[str]:
    lines = [
        "",
        "# Only items for which all of these hold; the others are excluded.",
        "[item.where]",
    ]
    if status is None:
        return [*lines, '# status = "completed"', "# price = { above = 0 }"]
    seen = ", ".join(f"{_text(word)} {count:,}" for word, count in status.counts.most_common())
    lines.append(f"# {_one_line(status.name)} has: {seen}")
    if not status.done:
        reasons.append(f"{status.name}: looks like a status; which word counts is for you to say")
        example = next(iter(status.counts))
        return [*lines, f"# {_text(status.name)} = {_text(example)}"]
    words = [*map(_text, status.done)]
    reasons.append(f"{status.name}: a status; {' or '.join(words)} counts")
    value = words[0] if len(words) == 1 else f"[{', '.join(words)}]"
    return [*lines, f"{_text(status.name)} = {value}"]


def _kpis(amounts: Sequence[Column], reasons: list[str]) -> list[str]:
    lines = [
        "",
        "# What a day publishes, in this order.",
        "[kpis]",
        "item_count = { count = true }",
    ]
    used = {"item_count"}
    for number, one in enumerate(amounts):
        name = _identifier(one)
        if f"total_{name}" in used:
            continue
        scale = ', scale = "0.01"' if one.is_minor_units else ""
        why = "whole numbers of a minor unit, times 0.01" if scale else "an amount"
        functions = {"total": "sum", "average": "average", "max": "max", "min": "min"}
        if number:
            if number == 1:
                lines.append(
                    "# Others; without `missing`, an item without the number is incomplete:"
                )
            functions = {"total": "sum"}
        else:
            reasons.append(f"{one.name}: {why}")
        for prefix, function in functions.items():
            used.add(f"{prefix}_{name}")
            missing = ", missing = 0" if number else ""
            comment = "# " if number else ""
            lines.append(
                f"{comment}{prefix}_{name} = {{ {function} = {_text(one.name)}{scale}{missing} }}"
            )
    return lines


def _breakdowns(categories: Sequence[Column], reasons: list[str]) -> list[str]:
    lines = ["", "# The same KPIs for every value of these.", "[breakdowns]"]
    used: set[str] = set()
    for one in categories[:_MOST_SHOWN]:
        name = _identifier(one)
        if name in used:
            continue
        used.add(name)
        is_active = len(used) <= _ACTIVE_BREAKDOWNS
        values = f"{len(one.counts)} values, such as {_text(next(iter(one.counts)))}"
        lines.append(f"{'' if is_active else '# '}{name} = [{_text(one.name)}]  # {values}")
        if is_active:
            reasons.append(f"{one.name}: {values}")
    return lines


def _identifier(column: Column) -> str:
    name = re.sub("[^a-z0-9]+", "_", "_".join(column.words)).strip("_")
    return name if name[:1].isalpha() else f"value_{name}".rstrip("_")


def _names(columns: Sequence[Column]) -> list[str]:
    return [one.name for one in columns]


def _one_line(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _text(text: str) -> str:
    """Formats a text as TOML's basic String: JSON strings are such Strings, except for U+007F."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
