"""Reads a definition's document; an error says where it is wrong and what is possible there.

https://toml.io/en/v1.0.0
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import (
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
)
from difflib import get_close_matches
from typing import Any

from trip_kpis.core.definition.conditions import (
    COMPARISONS,
    BeginsWith,
    Compared,
    Condition,
    Equals,
    Exists,
    Wanted,
)
from trip_kpis.core.definition.model import Breakdown, Day, Definition, Function, Kpi, Measure
from trip_kpis.core.errors import DefinitionError, SettingError
from trip_kpis.core.items.attributes import AttributePath, parse_path
from trip_kpis.core.items.numbers import LIMIT, ONE, PLACES, is_decimal

Document = Mapping[str, Any]
"""The values that TOML is read as; numbers as Decimal or int."""

TAKEN_NAMES = ("date", "outcome", "sha256", "open", "published_trip_count")
"""fields of a day in `kpi.json` and in a manifest"""
MOST_VALUES = 100
MOST_GROUP_PATHS = 4

_NAME = re.compile("[a-z][a-z0-9_]*")
_PARAMETER = re.compile(r"\$\{(?P<name>[^}]*)\}")
_PARTS = ("item", "kpis", "breakdowns")
_OF_ITEM = ("day", "complete", "numbers", "null_values", "where")
_OPERATORS = ("not", "begins_with", "exists", *COMPARISONS)
_OPTIONS = ("scale", "missing")
_OF_DYNAMODB = Context(
    prec=38, Emin=-130, Emax=125, traps=[InvalidOperation, Inexact, Overflow, Subnormal]
)
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPaths:
    """The attribute paths of the stack's parameters, which a definition can name."""

    fare: str
    estimated_fare: str
    day: str

    def named(self) -> Mapping[str, str]:
        """Returns the paths by the names of the parameters."""
        return {
            "FareAttribute": self.fare,
            "EstimatedFareAttribute": self.estimated_fare,
            "DayAttribute": self.day,
        }

    @property
    def of_fares(self) -> frozenset[str]:
        """Returns what a definition writes for a fare."""
        return frozenset({"${FareAttribute}", "${EstimatedFareAttribute}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionFile:
    """A definition's file, before the stack's paths are inserted; a plan contains all of it."""

    name: str
    text: str

    @property
    def document(self) -> Document:
        """Parses the file; raises DefinitionError, with the line, if it is not TOML."""
        try:
            return tomllib.loads(self.text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise DefinitionError(f"{self.name}.toml is not TOML: {error}") from error
        except InvalidOperation as error:
            raise DefinitionError(
                f"{self.name}.toml has a number whose exponent is too long for any number"
            ) from error

    @property
    def parameters(self) -> frozenset[str]:
        """Returns the names of the stack's parameters from which the definition takes paths."""
        return frozenset(_PARAMETER.findall(json.dumps(self.document, default=str)))

    @property
    def sha256(self) -> str:
        """Returns the digest of the content: comments and blanks do not change it."""
        said = json.dumps(self.document, default=repr, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()

    def definition(self, paths: StackPaths) -> Definition:
        """Returns the definition; raises DefinitionError, which names file, key and value, and what
        is possible."""
        return _Reader(file=f"{self.name}.toml", stack=paths).definition(self.name, self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads one document; every method raises DefinitionError."""

    file: str
    stack: StackPaths

    def definition(self, name: str, document: Document) -> Definition:
        self._known(document, "", _PARTS)
        item = self._table(document, "item", "[item] says what counts, and on which day")
        self._known(item, "item", _OF_ITEM)
        null_values = self._texts(item.get("null_values", []), "item.null_values")
        fares: set[AttributePath] = set()
        definition = Definition(
            name=name,
            day=self._day(item),
            complete=self._paths(item.get("complete", []), "item.complete", fares),
            numbers=self._paths(item.get("numbers", []), "item.numbers", fares),
            where=self._where(item.get("where", {}), frozenset(null_values)),
            null_values=frozenset(null_values),
            kpis=self._kpis(document, fares),
            breakdowns=self._breakdowns(document.get("breakdowns", {})),
            fares=frozenset(fares),
        )
        self._check_names(definition)
        return definition

    def _day(self, item: Document) -> Day:
        day = item.get("day")
        if isinstance(day, str):
            return Day(paths=(self._path(day, "item.day"),))
        if isinstance(day, Mapping) and day.keys() == {"date", "time"}:
            return Day(
                paths=(
                    self._path(day["date"], "item.day.date"),
                    self._path(day["time"], "item.day.time"),
                )
            )
        if isinstance(day, Mapping) and day.keys() == {"path", "after"}:
            after = self._text(day["after"], "item.day.after")
            return Day(paths=(self._path(day["path"], "item.day.path"),), after=after)
        raise self._wrong(
            "item.day",
            day,
            'the attribute path of a time, such as "pickup_datetime"; { date = PATH, time = PATH } '
            "for a time in two attributes; or { path = PATH, after = TEXT } for the rest of a "
            "String behind a prefix",
        )

    def _where(self, where: object, null_values: frozenset[str]) -> tuple[Condition, ...]:
        if not isinstance(where, Mapping):
            raise self._wrong(
                "item.where", where, 'a table of conditions, such as status = "completed"'
            )
        conditions: list[Condition] = []
        for dotted, condition in where.items():
            key = f"item.where.{dotted}"
            of_path = list(self._conditions(self._path(dotted, key), condition, key))
            compared = [text for one in of_path for text in _texts_of(one)]
            if null := sorted(text for text in compared if text == "" or text in null_values):
                raise self._wrong(
                    key,
                    null[0],
                    "another text: this one says that there is no value (null_values, and the "
                    "empty String). Use { exists = true } or { exists = false }",
                )
            conditions += of_path
        return tuple(conditions)

    def _conditions(self, path: AttributePath, given: object, key: str) -> Iterable[Condition]:
        if not isinstance(given, Mapping):
            return [Equals(path=path, values=self._values(given, key))]
        if not given:
            raise self._wrong(
                key, given, f"a value, a list of values, or one of {_listed(_OPERATORS)}"
            )
        name = next(iter(given))
        if not given.keys() & set(_OPERATORS) and not _closest(name, _OPERATORS):
            raise self._fail(
                f"{self.file}: {key}.{name} is not an operator ({_listed(_OPERATORS)}). A path "
                f'into a map is written in quotes: "{key.removeprefix("item.where.")}.{name}" = …'
            )
        self._known(given, key, _OPERATORS)
        return [
            self._operation(path, operator, value, f"{key}.{operator}")
            for operator, value in given.items()
        ]

    def _operation(self, path: AttributePath, operator: str, value: object, key: str) -> Condition:
        match operator:
            case "not":
                return Equals(path=path, values=self._values(value, key), negated=True)
            case "begins_with":
                texts = [value] if isinstance(value, str) else value
                return BeginsWith(path=path, texts=tuple(self._texts(texts, key, at_least=1)))
            case "exists":
                if not isinstance(value, bool):
                    raise self._wrong(key, value, "true or false")
                return Exists(path=path, wanted=value)
            case _:
                limit = self._wanted(value, key)
                if isinstance(limit, bool):
                    raise self._wrong(key, value, "a number, or a String to compare Strings with")
                return Compared(path=path, operator=operator, limit=limit)

    def _values(self, given: object, key: str) -> tuple[Wanted, ...]:
        values = given if isinstance(given, list) else [given]
        if not 1 <= len(values) <= MOST_VALUES:
            raise self._wrong(key, given, f"a value, or a list of 1 to {MOST_VALUES} values")
        return tuple(self._wanted(value, key) for value in values)

    def _wanted(self, value: object, key: str) -> Wanted:
        if isinstance(value, str | bool):
            return value
        if isinstance(value, int | Decimal):
            return self._number(value, key)
        raise self._wrong(
            key, value, "a String, a number, true or false (a date is written as a String)"
        )

    def _kpis(self, document: Document, fares: set[AttributePath]) -> tuple[Kpi, ...]:
        given = self._table(document, "kpis", "[kpis] says what a day publishes")
        if not given:
            raise self._fail(
                f"{self.file}: [kpis] is empty: trips = {{ count = true }} is the simplest"
            )
        return tuple(self._kpi(name, one, fares) for name, one in given.items())

    def _kpi(self, name: str, given: object, fares: set[AttributePath]) -> Kpi:
        key = f"kpis.{name}"
        self._check_name(name, key)
        functions = tuple(map(str, Function))
        if not isinstance(given, Mapping):
            raise self._wrong(key, given, '{ count = true }, or such as { sum = "fare_amount" }')
        self._known(given, key, (*functions, *_OPTIONS))
        named = [one for one in functions if one in given]
        if len(named) != 1:
            raise self._wrong(key, dict(given), f"exactly one of {_listed(functions)}")
        function = Function(named[0])
        if function is Function.COUNT:
            if given != {"count": True}:
                raise self._wrong(key, dict(given), "{ count = true }, and nothing else")
            return Kpi(name=name, function=function)
        of = given[function]
        paths = self._paths([of] if isinstance(of, str) else of, f"{key}.{function}", fares)
        if not paths:
            raise self._wrong(f"{key}.{function}", of, "an attribute path, or a list of them")
        return Kpi(
            name=name,
            function=function,
            measure=Measure(
                paths=paths,
                scale=self._scale(given.get("scale", 1), f"{key}.scale"),
                missing=self._missing(given.get("missing"), f"{key}.missing"),
            ),
        )

    def _scale(self, given: object, key: str) -> Decimal:
        scale = self._number(given, key)
        if not scale or scale.copy_abs() > LIMIT or _places(scale) > PLACES:
            raise self._wrong(key, given, 'a decimal such as "0.01", not 0, of at most 18 places')
        return scale if scale != ONE else ONE

    def _missing(self, given: object, key: str) -> Decimal | None:
        if given is None:
            return None
        number = self._number(given, key)
        if number.copy_abs() >= LIMIT or _places(number) > PLACES:
            raise self._wrong(key, given, "a number below 10^9 in size, of at most 18 places")
        return number

    def _number(self, given: object, key: str) -> Decimal:
        """Returns the number without trailing zeros."""
        text = str(given)
        if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
            raise self._wrong(key, given, 'a number, such as 0 or "0.01"')
        if not is_decimal(text):
            raise self._wrong(key, given, 'a number, such as 0 or "0.01"')
        try:
            number = _OF_DYNAMODB.normalize(Decimal(text))
        except DecimalException as error:
            raise self._wrong(
                key,
                given,
                "a number that DynamoDB can hold: of at most 38 digits, and from 1E-130 to "
                "9.9E+125 in size",
            ) from error
        return number if number else number.copy_abs()

    def _breakdowns(self, given: object) -> tuple[Breakdown, ...]:
        if not isinstance(given, Mapping):
            raise self._wrong("breakdowns", given, 'a table, such as city = ["pickup.city"]')
        breakdowns = []
        for name, paths in given.items():
            key = f"breakdowns.{name}"
            self._check_name(name, key)
            parsed = self._paths([paths] if isinstance(paths, str) else paths, key)
            if not 1 <= len(parsed) <= MOST_GROUP_PATHS or len(set(parsed)) < len(parsed):
                raise self._wrong(key, paths, f"1 to {MOST_GROUP_PATHS} different attribute paths")
            breakdowns.append(Breakdown(name=name, paths=parsed))
        return tuple(breakdowns)

    def _check_names(self, definition: Definition) -> None:
        """Checks that the fields of a line of `kpis.jsonl` are distinct."""
        kpis = {kpi.name for kpi in definition.kpis}
        for breakdown in definition.breakdowns:
            for attribute in breakdown.attributes:
                if attribute in kpis or attribute == "date":
                    raise self._fail(
                        f"{self.file}: breakdowns.{breakdown.name} has the attribute "
                        f"{attribute!r}, and {'a KPI' if attribute in kpis else 'the day'} has the "
                        "same name in its objects: give the KPI another name, or group by another "
                        "attribute"
                    )

    def _check_name(self, name: str, key: str) -> None:
        if name in TAKEN_NAMES and key.startswith("kpis."):
            raise self._fail(
                f"{self.file}: {key}: the name is taken by a field that every day has "
                f"({_listed(TAKEN_NAMES)}): choose another"
            )
        if not _NAME.fullmatch(name):
            raise self._fail(
                f"{self.file}: {key}: a name has small letters, digits and _, and begins with a "
                "letter, such as total_fare"
            )

    def _paths(
        self, given: object, key: str, fares: set[AttributePath] | None = None
    ) -> tuple[AttributePath, ...]:
        if not isinstance(given, list):
            raise self._wrong(key, given, 'a list of attribute paths, such as ["fare_amount"]')
        paths = [self._path(one, key) for one in given]
        if fares is not None:
            fares.update(
                path for one, path in zip(given, paths, strict=True) if one in self.stack.of_fares
            )
        return tuple(paths)

    def _path(self, given: object, key: str) -> AttributePath:
        if not isinstance(given, str):
            raise self._wrong(key, given, "an attribute path, such as trip_end.fare_amount")
        dotted, setting = given, f"{self.file}: {key}"
        if parameter := _PARAMETER.fullmatch(given):
            known = self.stack.named()
            if parameter["name"] not in known:
                names = [f"${{{name}}}" for name in known]
                raise self._wrong(key, given, f"one of {_listed(names)}{_closest(given, names)}")
            dotted, setting = known[parameter["name"]], parameter["name"]
        elif _PARAMETER.search(given):
            raise self._wrong(key, given, "a parameter alone, such as ${FareAttribute}, or a path")
        try:
            return parse_path(dotted, setting=setting)
        except SettingError as error:
            raise DefinitionError(str(error)) from error

    def _texts(self, given: object, key: str, *, at_least: int = 0) -> Sequence[str]:
        if not isinstance(given, list) or not at_least <= len(given) <= MOST_VALUES:
            raise self._wrong(key, given, f"a list of up to {MOST_VALUES} Strings")
        return [self._text(one, key) for one in given]

    def _text(self, given: object, key: str) -> str:
        if not isinstance(given, str) or not given:
            raise self._wrong(key, given, "a String that is not empty")
        return given

    def _table(self, document: Document, name: str, why: str) -> Document:
        if name not in document:
            raise self._fail(f"{self.file} has no [{name}]: {why}")
        table = document[name]
        if not isinstance(table, Mapping):
            raise self._wrong(name, table, f"a table: {why}")
        return table

    def _known(self, table: Document, key: str, known: Sequence[str]) -> None:
        for name in table:
            if name not in known:
                where = f"{key}.{name}" if key else f"[{name}]"
                raise self._fail(
                    f"{self.file}: {where} is not known: there "
                    f"{'is' if len(known) == 1 else 'are'} {_listed(known)}"
                    f"{_closest(name, known)}"
                )

    def _wrong(self, key: str, value: object, must_be: str) -> DefinitionError:
        return self._fail(f"{self.file}: {key} is {_shown(value)}: it must be {must_be}")

    def _fail(self, message: str) -> DefinitionError:
        return DefinitionError(message)


def _texts_of(condition: Condition) -> Iterable[str]:
    """Returns the texts with which the condition compares Strings."""
    match condition:
        case Equals():
            return [value for value in condition.values if isinstance(value, str)]
        case BeginsWith():
            return condition.texts
        case Compared():
            return [condition.limit] if isinstance(condition.limit, str) else []
        case Exists():
            return []


def _places(number: Decimal) -> int:
    """Counts the decimal places of a number without trailing zeros."""
    return -int(number.as_tuple().exponent)


def _shown(value: object) -> str:
    """Formats a value as TOML writes it."""
    if value is None:
        return "not there"
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _closest(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known), n=1)
    return f". Did you mean {found[0]}?" if found else ""
