"""Recognizes the columns of items by their names and values, for a first KPI definition."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import islice

from ops.runs.time_formats import formats_of
from trip_kpis.core.definition.model import Day, Definition
from trip_kpis.core.items.attributes import AttributePath, AttributeValue, Item, dotted_path
from trip_kpis.core.items.numbers import comparable
from trip_kpis.core.items.times import form_of, form_of_epoch
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.reading.read_item import ReadingRules

_MONEY = (
    "fare", "price", "total", "amount", "revenue", "cost", "paid", "payment", "charge", "fee",
    "sales", "preis", "betrag", "umsatz", "summe", "prix", "montant", "precio", "importe", "monto",
    "prezzo", "importo", "preco", "valor", "prijs", "bedrag", "cena", "kwota", "tarif", "tarifa",
    "tip", "tax", "toll",
)  # fmt: skip
_MINOR_UNITS = {"cent", "cents", "minor", "pence", "centavos", "centimes", "centimos", "kopeks"}
_TIMES = (
    "pickup", "started", "start", "begin", "ordered", "order", "created", "date", "day", "datetime",
    "timestamp", "time", "at", "datum", "fecha", "data",
)  # fmt: skip
_LATER_TIMES = {"updated", "modified", "deleted", "expires", "ttl", "birth", "birthday", "end"}
_STATUS = {"status", "state", "stage", "outcome"}
_DONE = {
    "completed", "complete", "done", "finished", "success", "succeeded", "paid", "delivered",
    "settled", "fulfilled", "closed", "ended", "abgeschlossen", "erledigt", "bezahlt", "geliefert",
    "completado", "completada", "terminado", "terminee", "termine", "concluido", "concluida",
    "completato", "voltooid",
}  # fmt: skip
_NULL_WORDS = {"null", "n/a", "none", "nan", "nil", "-", "--", "undefined", r"\n"}
_GROUPS = (
    "currency", "city", "region", "country", "vendor", "zone", "area", "type", "category",
    "channel", "payment", "product", "store", "method", "stadt", "ville", "ciudad",
)  # fmt: skip
_IDS = {"id", "uuid", "guid", "key", "pk", "sk", "nr", "no", "number", "zip", "phone", "row"}
_CODES = {"type", "code", "method", "status", "count", "rate"}
_NO_AMOUNTS = {"lat", "latitude", "lon", "lng", "longitude"}
_MOST_WORDS = 12
_MOST_GROUPS = 50
_MOST_TEXTS = 2_000
_ENOUGH = 0.9
"""the share of a column's values that must be of its kind"""


@dataclass(eq=False)
class Column:
    """The values at one path."""

    path: AttributePath
    values: list[AttributeValue] = field(default_factory=list)

    @property
    def name(self) -> str:
        return dotted_path(self.path)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Returns the words of its name: ``pickupDateTime`` -> pickup, date, time."""
        apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", " ".join(map(str, self.path)))
        return tuple(re.findall(r"[^\W_]+", apart.casefold()))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Returns the texts of its values: Strings, Numbers and Booleans."""
        found = (next(iter(value.items())) for value in self.values)
        return tuple(str(text) for kind, text in found if kind in ("S", "N", "BOOL") and text != "")

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(one for one in self.texts if one.casefold() not in _NULL_WORDS)

    @property
    def null_words(self) -> set[str]:
        return {
            text
            for value in self.values
            if (text := value.get("S", "")) and text.casefold() in _NULL_WORDS
        }

    @property
    def are_strings(self) -> bool:
        return all("S" in value for value in self.values if "NULL" not in value)

    @cached_property
    def are_numbers(self) -> bool:
        return _are_most(self.counts, lambda text: comparable(text) is not None)

    @property
    def are_whole(self) -> bool:
        return all(re.fullmatch("-?[0-9]+", text) for text in self.counts)

    @property
    def is_id(self) -> bool:
        return self.words[-1:] != () and self.words[-1] in _IDS

    @property
    def is_money(self) -> bool:
        named = bool({*self.words} & {*_MONEY, *_MINOR_UNITS})
        return named and self.are_numbers and not (self.is_id or self.words[-1] in _CODES)

    @property
    def is_minor_units(self) -> bool:
        return self.are_whole and bool({*self.words} & _MINOR_UNITS)

    @cached_property
    def time_formats(self) -> tuple[str, ...] | None:
        """What reads its times, besides the forms that are always read; None for no times."""
        texts = dict(islice(self.counts.items(), _MOST_TEXTS))
        if not texts or self.is_money:
            return None
        if not self.are_strings:
            is_named = bool({*self.words} & {*_TIMES, *_LATER_TIMES})
            return () if is_named and self.are_numbers and self._are_epochs([*texts]) else None
        if _are_most(texts, lambda text: form_of(text) is not None):
            return ()
        if self.are_numbers and not {*self.words} & {*_TIMES, *_LATER_TIMES}:
            return None
        unread = [text for text in texts if form_of(text) is None]
        formats = formats_of(unread, _rules(self.path))
        are_read = _are_most(texts, lambda text: form_of(text, formats=formats) is not None)
        return formats if formats and are_read else None

    def _are_epochs(self, texts: Sequence[str]) -> bool:
        rules = _rules(self.path)
        forms = [
            form_of_epoch(Decimal(text), time_zone=rules.time_zone, earliest=rules.earliest_day)
            for text in texts
            if comparable(text) is not None and len(text) < 25
        ]
        return bool(forms) and all(one.startswith("epoch ") for one in forms)

    @property
    def is_status(self) -> bool:
        few = 1 < len(self.counts) <= _MOST_WORDS
        named = bool({*self.words} & _STATUS)
        return self.are_strings and few and (named or bool(self.done)) and not self.are_numbers

    @property
    def done(self) -> tuple[str, ...]:
        """Returns the words that mean that an item is complete."""
        return tuple(word for word in self.counts if word.casefold() in _DONE)

    @property
    def is_category(self) -> bool:
        few = 1 < len(self.counts) <= min(_MOST_GROUPS, len(self.texts) / 2)
        if self.are_numbers:
            named = self.words[-1:] and self.words[-1] in {"id", *_CODES}
            return bool(few and named)
        return few and not self.is_status and self.time_formats is None


def _are_most(counts: Mapping[str, int], is_one: Callable[[str], bool]) -> bool:
    """Of values by their texts; not of different texts, of which one day may have few."""
    of_kind = sum(count for text, count in counts.items() if is_one(text))
    return bool(counts) and of_kind >= sum(counts.values()) * _ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """What items seem to have, the most likely first."""

    amounts: Sequence[Column]
    times: Sequence[Column]
    status: Column | None
    categories: Sequence[Column]
    null_words: Sequence[str]


def recognize(items: Iterable[Item], key_attributes: Sequence[str]) -> Recognized:
    """Recognizes columns from every value of these items."""
    columns: dict[AttributePath, Column] = {}
    for item in items:
        for path, value in _leaves(item, ()):
            columns.setdefault(path, Column(path)).values.append(value)
    others = [
        one for one in columns.values() if one.path not in {(name,) for name in key_attributes}
    ]
    times = [one for one in others if one.time_formats is not None]
    amounts = [one for one in others if one.is_money and one not in times]
    if not amounts:
        amounts = [
            one
            for one in others
            if one.are_numbers
            and not one.are_whole
            and not one.is_id
            and not {*one.words} & _NO_AMOUNTS
        ]
    status = sorted(
        (one for one in others if one.is_status),
        key=lambda one: (not {*one.words} & _STATUS, not one.done),
    )
    categories = [one for one in others if one.is_category and one not in amounts]
    chosen = [*amounts, *times, *categories, *status[:1]]
    return Recognized(
        amounts=sorted(amounts, key=lambda one: (_rank(one, _MONEY), -len(one.counts))),
        times=sorted(
            times, key=lambda one: (bool({*one.words} & _LATER_TIMES), _rank(one, _TIMES))
        ),
        status=status[0] if status else None,
        categories=sorted(categories, key=lambda one: (_rank(one, _GROUPS), len(one.counts))),
        null_words=sorted(set().union(*(one.null_words for one in chosen))),
    )


def _rank(column: Column, words: Sequence[str]) -> int:
    return min((words.index(word) for word in column.words if word in words), default=len(words))


def _leaves(item: Item, above: AttributePath) -> Iterator[tuple[AttributePath, AttributeValue]]:
    for name, value in item.items():
        if "M" in value:
            yield from _leaves(value["M"], (*above, name))
        else:
            yield (*above, name), value


def _rules(path: AttributePath) -> ReadingRules:
    """Returns rules with which times are read; the rest of an item has no effect."""
    return ReadingRules(
        definition=Definition(name="", day=Day(paths=(path,)), complete=(), kpis=()),
        key_attributes=(),
        time_zone=time_zone("UTC"),
        earliest_day=date(2000, 1, 1),
    )
