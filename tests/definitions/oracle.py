"""What a KPI definition must publish of given items, calculated item by item in fractions.

It is written from the description of definitions alone, and shares nothing with the product but
how a text or a number is read as a day. It is slow and simple on purpose. It expects a valid
document, and knows no limit on the number of groups.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from operator import ge, gt, le, lt
from typing import Any

from trip_kpis.core.items.rejections import RejectionError
from trip_kpis.core.items.times import read_day, read_epoch_day
from trip_kpis.core.items.zones import time_zone

Document = Mapping[str, Any]
"""A definition as `tomllib` reads it; floats may be Decimals."""
Value = Mapping[str, Any]
"""An attribute's value in DynamoDB JSON; a Binary is base64 text."""
Item = Mapping[str, Value]
Path = tuple[str | int, ...]
"""Names of attributes, and indexes into lists."""

LIMIT = 10**9
PLACES = 18

_NOTATION = re.compile(r"(?P<mantissa>-?[0-9]+(?:\.[0-9]+)?)(?:[eE](?P<exponent>[+-]?[0-9]+))?")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "above": gt,
    "at_least": ge,
    "below": lt,
    "at_most": le,
}
_HUGE_EXPONENT = 5_000
"""A larger one changes no answer, as long as no text has thousands of digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The parameters of a stack that a definition refers to or depends on."""

    fare_attribute: str = "fare_amount"
    estimated_fare_attribute: str = "estimated_fare_amount"
    day_attribute: str = "pickup_datetime"
    time_zone: str = "UTC"
    time_formats: tuple[str, ...] = ()
    earliest_day: date = date(2000, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An item that cannot be counted, and the attribute and value at fault."""

    item: Item
    reason: str
    attribute: str
    value: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCounts:
    """How many items were judged how."""

    excluded: int
    incomplete: int
    rejected: dict[str, int]
    """by reason"""
    counted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a run must publish and count."""

    objects: dict[str, bytes]
    counts: ExpectedCounts
    rejected: list[Rejected]
    """in the order of the items"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    day: date
    numbers: dict[str, Fraction]
    """of each KPI but the counts"""
    groups: dict[str, tuple[str | None, ...]]
    """of each breakdown"""


class _RejectionError(Exception):
    def __init__(self, reason: str, path: Path, value: Value | None) -> None:
        super().__init__(reason)
        self.reason, self.path, self.value = reason, path, value


def expected(document: Document, items: Iterable[Item], *, settings: Settings) -> Expected:
    """What must be published and counted."""
    excluded = incomplete = 0
    rejected: list[Rejected] = []
    counted: list[_Counted] = []
    for item in items:
        if is_excluded(document, item, settings=settings):
            excluded += 1
        elif is_incomplete(document, item, settings=settings):
            incomplete += 1
        else:
            try:
                counted.append(_counted(document, item, settings))
            except _RejectionError as error:
                rejected.append(
                    Rejected(
                        item=item,
                        reason=error.reason,
                        attribute=path_text(error.path),
                        value=error.value,
                    )
                )
    return Expected(
        objects=_objects(document, counted, settings),
        counts=ExpectedCounts(
            excluded=excluded,
            incomplete=incomplete,
            rejected=dict(Counter(one.reason for one in rejected)),
            counted=len(counted),
        ),
        rejected=rejected,
    )


def is_excluded(document: Document, item: Item, *, settings: Settings) -> bool:
    """Whether a condition of `where` does not hold."""
    null_words = _null_words(document)
    return not all(
        _holds(condition, _present(item, _path(text, settings), null_words))
        for text, condition in document["item"].get("where", {}).items()
    )


def is_incomplete(document: Document, item: Item, *, settings: Settings) -> bool:
    """Whether an attribute is absent that an item must have, whatever `where` says."""
    needed = [
        *document["item"].get("complete", []),
        *(
            text
            for kpi in document["kpis"].values()
            if "missing" not in kpi
            for text in _measured(kpi)
        ),
        *document["item"].get("numbers", []),
    ]
    null_words = _null_words(document)
    return any(_present(item, _path(text, settings), null_words) is None for text in needed)


def path_of(text: str) -> Path:
    r"""``charges[0].amount`` -> ``("charges", 0, "amount")``; ``a\.b`` -> ``("a.b",)``."""
    steps: list[str | int] = [""]
    rest = text
    while rest:
        if escaped := re.match(r"\\([.\[\\\s])", rest):
            steps[-1] = f"{steps[-1]}{escaped[1]}"
            rest = rest[2:]
        elif rest[0] == ".":
            steps.append("")
            rest = rest[1:]
        elif index := re.match(r"((?:\[[0-9]+\])+)(?:\.|\Z)", rest):
            steps += [int(number) for number in re.findall("[0-9]+", index[1])]
            rest = rest[index.end() :]
            if rest:
                steps.append("")
        else:
            steps[-1] = f"{steps[-1]}{rest[0]}"
            rest = rest[1:]
    return tuple(steps)


def path_text(path: Path) -> str:
    """Inverts `path_of`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = re.sub(r"\\(?=[.\[\\\s]|\Z)|[.\[]|\A\s|\s\Z", r"\\\g<0>", step)
            text += f".{name}" if text else name
    return text


def plain(number: Fraction) -> str:
    """A number without an exponent, zeros at its end or minus zero."""
    places = 0
    while number.denominator != 1:
        number *= 10
        places += 1
    digits = str(abs(number.numerator)).rjust(places + 1, "0")
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _objects(
    document: Document, counted: Sequence[_Counted], settings: Settings
) -> dict[str, bytes]:
    objects: dict[str, bytes] = {}
    for day in sorted({one.day for one in counted}):
        of_day = [one for one in counted if one.day == day]
        objects[f"kpis/date={day}/kpi.json"] = _line(document, day, of_day, {})
        for name, texts in document.get("breakdowns", {}).items():
            columns = columns_of([_path(text, settings) for text in texts])
            lines = b""
            for group in sorted({one.groups[name] for one in of_day}, key=_rank):
                of_group = [one for one in of_day if one.groups[name] == group]
                lines += _line(document, day, of_group, dict(zip(columns, group, strict=True)))
            objects[f"breakdowns/by={name}/date={day}/kpis.jsonl"] = lines
    return objects


def _rank(group: tuple[str | None, ...]) -> list[tuple[bool, bytes]]:
    return [(value is not None, (value or "").encode()) for value in group]


def columns_of(paths: Sequence[Path]) -> list[str]:
    """What the attributes of a breakdown are called in its lines."""
    short = [_last_step(path) for path in paths]
    return [
        path_text(path) if short.count(name) > 1 else name
        for path, name in zip(paths, short, strict=True)
    ]


def _last_step(path: Path) -> str:
    """The last name, with the indexes behind it."""
    last = max(number for number, step in enumerate(path) if isinstance(step, str))
    return f"{path[last]}" + "".join(f"[{index}]" for index in path[last + 1 :])


def _line(
    document: Document, day: date, items: Sequence[_Counted], group: Mapping[str, str | None]
) -> bytes:
    members = [f'"date":"{day}"']
    members += [f"{_json(name)}:{_json(value)}" for name, value in group.items()]
    for name, kpi in document["kpis"].items():
        members.append(f'"{name}":{_figure(name, kpi, items)}')
    return ("{" + ",".join(members) + "}\n").encode()


def _json(value: str | None) -> str:
    return json.dumps(value, ensure_ascii=False)


def _figure(name: str, kpi: Mapping[str, Any], items: Sequence[_Counted]) -> str:
    if "count" in kpi:
        return str(len(items))
    numbers = [one.numbers[name] for one in items]
    if "sum" in kpi:
        return plain(sum(numbers, Fraction()))
    if "average" in kpi:
        return plain(round(sum(numbers, Fraction()) / len(numbers), 6))  # half to even
    return plain(max(numbers) if "max" in kpi else min(numbers))


def _counted(document: Document, item: Item, settings: Settings) -> _Counted:
    null_words = _null_words(document)
    numbers = {
        name: _measure(kpi, item, settings, document)
        for name, kpi in document["kpis"].items()
        if "count" not in kpi
    }
    for text in document["item"].get("numbers", []):
        _measure({"sum": text}, item, settings, document)
    day = _day(document["item"]["day"], item, settings, null_words)
    groups = {
        name: tuple(_group(item, _path(text, settings), null_words) for text in texts)
        for name, texts in document.get("breakdowns", {}).items()
    }
    return _Counted(day=day, numbers=numbers, groups=groups)


def _measured(kpi: Mapping[str, Any]) -> list[str]:
    """The paths whose numbers a KPI adds up of each item."""
    for kind in ("sum", "average", "min", "max"):
        if kind in kpi:
            return [kpi[kind]] if isinstance(kpi[kind], str) else list(kpi[kind])
    return []


def _measure(
    kpi: Mapping[str, Any], item: Item, settings: Settings, document: Document
) -> Fraction:
    texts, null_words, fares = _measured(kpi), _null_words(document), _fares(document, settings)
    scale = _exact(kpi.get("scale", 1))
    total = Fraction()
    for text in texts:
        path = _path(text, settings)
        value = _present(item, path, null_words)
        if value is None:
            number = _exact(kpi["missing"])  # without it, the item is incomplete
        elif not value.keys() & {"N", "S"}:
            raise _RejectionError(_reason(path in fares, "wrong_type"), path, value)
        else:
            read = _number(value)
            if read is None:
                raise _RejectionError(_reason(path in fares, "not_a_number"), path, value)
            number = read
        number *= scale
        if abs(number) >= LIMIT:
            raise _RejectionError(_reason(path in fares, "too_large"), path, value)
        if (number * 10**PLACES).denominator != 1:
            raise _RejectionError(_reason(path in fares, "too_precise"), path, value)
        total += number
    if abs(total) >= LIMIT:
        path = _path(texts[0], settings)
        raise _RejectionError(_reason(path in fares, "too_large"), path, _find(item, path))
    return total


def _fares(document: Document, settings: Settings) -> set[Path]:
    """The paths that the document writes as the stack's fares."""
    item = document["item"]
    texts = [*item.get("complete", []), *item.get("numbers", [])]
    texts += [text for kpi in document["kpis"].values() for text in _measured(kpi)]
    written = {"${FareAttribute}", "${EstimatedFareAttribute}"}
    return {_path(text, settings) for text in texts if text in written}


def _reason(is_fare: bool, what: str) -> str:
    return f"fare_{what}" if is_fare else f"number_{what}"


def _day(
    day: str | Mapping[str, str], item: Item, settings: Settings, null_words: frozenset[str]
) -> date:
    if isinstance(day, str):
        path = _path(day, settings)
        value = _time_value(item, path, null_words)
        if "N" in value:
            return _read(Decimal(value["N"]), path, value, settings)
        return _read(_time_text(value, path, "S"), path, value, settings)
    if "after" in day:
        path = _path(day["path"], settings)
        value = _time_value(item, path, null_words)
        text = _time_text(value, path, "S")
        if not text.startswith(day["after"]):
            raise _RejectionError("time_unreadable", path, value)
        return _read(text.removeprefix(day["after"]), path, value, settings)
    paths = [_path(day["date"], settings), _path(day["time"], settings)]
    values = [_time_value(item, path, null_words) for path in paths]
    texts = [_time_text(value, path, "S", "N") for path, value in zip(paths, values, strict=True)]
    return _read(" ".join(texts), paths[0], values[0], settings)


def _time_value(item: Item, path: Path, null_words: frozenset[str]) -> Value:
    value = _present(item, path, null_words)
    if value is None:
        raise _RejectionError("time_missing", path, _find(item, path))
    return value


def _time_text(value: Value, path: Path, *kinds: str) -> str:
    for kind in kinds:
        if kind in value:
            return str(value[kind])
    raise _RejectionError("time_wrong_type", path, value)


def _read(time: str | Decimal, path: Path, value: Value, settings: Settings) -> date:
    zone, earliest = time_zone(settings.time_zone), settings.earliest_day
    try:
        if isinstance(time, Decimal):
            return read_epoch_day(time, time_zone=zone, earliest=earliest)
        return read_day(time, time_zone=zone, earliest=earliest, formats=settings.time_formats)
    except RejectionError as rejection:
        raise _RejectionError(str(rejection.reason), path, value) from None


def _group(item: Item, path: Path, null_words: frozenset[str]) -> str | None:
    value = _present(item, path, null_words)
    if value is None:
        return None
    if "S" in value:
        return str(value["S"])
    if "N" in value:
        return plain(Fraction(Decimal(value["N"])))
    if "BOOL" in value:
        return "true" if value["BOOL"] else "false"
    raise _RejectionError("group_wrong_type", path, value)


def _holds(condition: Any, value: Value | None) -> bool:
    """Whether a condition of `where` holds for a value; None is absent."""
    if not isinstance(condition, Mapping):
        return _is_one_of(condition, value)
    return all(_operator_holds(name, operand, value) for name, operand in condition.items())


def _operator_holds(name: str, operand: Any, value: Value | None) -> bool:
    if name == "exists":
        return (value is not None) is operand
    if name == "not":
        return not _is_one_of(operand, value)
    if value is None:
        return False
    if name == "begins_with":
        beginnings = [operand] if isinstance(operand, str) else operand
        return "S" in value and any(value["S"].startswith(one) for one in beginnings)
    left: Any
    right: Any
    if isinstance(operand, str):
        if "S" not in value:
            return False
        left, right = value["S"].encode(), operand.encode()
    else:
        left, right = _number(value), _exact(operand)
        if left is None:
            return False
    return _ORDERS[name](left, right)


def _is_one_of(wanted: Any, value: Value | None) -> bool:
    return any(_equals(one, value) for one in (wanted if isinstance(wanted, list) else [wanted]))


def _equals(wanted: Any, value: Value | None) -> bool:
    if value is None:
        return False
    if isinstance(wanted, bool):
        return value.get("BOOL") is wanted
    if isinstance(wanted, str):
        return bool(value.get("S") == wanted)
    return _number(value) == _exact(wanted)


def _number(value: Value) -> Fraction | None:
    """The number that a Number or a String holds; None where it holds none."""
    match = _NOTATION.fullmatch(value.get("N", value.get("S", "")))
    if match is None:
        return None
    exponent = int(match["exponent"] or "0")
    exponent = max(-_HUGE_EXPONENT, min(exponent, _HUGE_EXPONENT))
    return Fraction(match["mantissa"]) * Fraction(10) ** exponent


def _exact(number: int | float | str | Decimal) -> Fraction:
    """A number of the document, as it is written there."""
    return Fraction(Decimal(str(number)))


def _null_words(document: Document) -> frozenset[str]:
    return frozenset(document["item"].get("null_values", []))


def _path(text: str, settings: Settings) -> Path:
    parameters = {
        "${FareAttribute}": settings.fare_attribute,
        "${EstimatedFareAttribute}": settings.estimated_fare_attribute,
        "${DayAttribute}": settings.day_attribute,
    }
    return path_of(parameters.get(text, text))


def _present(item: Item, path: Path, null_words: frozenset[str]) -> Value | None:
    """The value at `path`; None where it is absent or means so."""
    value = _find(item, path)
    if value is None or "NULL" in value or value.get("S") in {"", *null_words}:
        return None
    return value


def _find(item: Item, path: Path) -> Value | None:
    value: Any = {"M": item}
    for step in path:
        if isinstance(step, int):
            elements = value.get("L", [])
            value = elements[step] if step < len(elements) else None
        else:
            value = value.get("M", {}).get(step)
        if value is None:
            return None
    found: Value = value
    return found
