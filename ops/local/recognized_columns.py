"""Recognizes the columns of items by their names and values, for a first KPI definition."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ops.local.recognized_times import Times, forms_of_times, recognize_times
from trip_kpis.core.items.attributes import AttributePath, AttributeValue, Item, dotted_path
from trip_kpis.core.items.numbers import comparable

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
ENOUGH = 0.9
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

    @property
    def is_named_as_a_time(self) -> bool:
        return bool({*self.words} & {*_TIMES, *_LATER_TIMES})

    @cached_property
    def times(self) -> Times:
        """Recognizes its times."""
        return recognize_times(self._with_a_text, is_named=self.is_named_as_a_time)

    @property
    def is_time(self) -> bool:
        return bool(self.counts) and not self.is_money and self.times.share >= ENOUGH

    @property
    def may_be_time(self) -> bool:
        """Returns whether it has some times, or the name of a time, and is no time."""
        if not self.counts or self.is_money or self.is_id or self.is_time:
            return False
        return self.is_named_as_a_time or self.times.share > 0

    @property
    def forms_of_times(self) -> Counter[str]:
        return forms_of_times(self._with_a_text)

    @property
    def _with_a_text(self) -> Iterator[AttributeValue]:
        """Returns its Strings, Numbers and Booleans that do not mean that there is no value."""
        return (
            value
            for value in self.values
            if any(str(value.get(kind, "")) in self.counts for kind in ("S", "N", "BOOL"))
        )

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
        return few and not self.is_status and not self.is_time


def _are_most(counts: Mapping[str, int], is_one: Callable[[str], bool]) -> bool:
    """Of values by their texts; not of different texts, of which one day may have few."""
    of_kind = sum(count for text, count in counts.items() if is_one(text))
    return bool(counts) and of_kind >= sum(counts.values()) * ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """What items seem to have, the most likely first."""

    amounts: Sequence[Column]
    times: Sequence[Column]
    unread_times: Sequence[Column]
    """columns that may be times, too few of which can be read; the most readable first"""
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
    times = [one for one in others if one.is_time]
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
        unread_times=sorted(
            (one for one in others if one.may_be_time), key=lambda one: -one.times.share
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
