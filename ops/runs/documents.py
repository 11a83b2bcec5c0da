"""Reads JSON documents that somebody else may have written: checks their types, or refuses them
with a message."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from ops.runs.errors import ResultsError

_Document = TypeVar("_Document")
_WHERE = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)


class DocumentError(ResultsError):
    """A document does not have the expected form.

    `name` is its file or object, `field` the part that is wrong (empty for the whole), `problem`
    says what was expected there.
    """

    def __init__(self, *, name: str, kind: str, field: str, problem: str, advice: str) -> None:
        self.name, self.field, self.problem = name, field, problem
        where = f"{field}: {problem}" if field else problem
        super().__init__(f"{name} is no {kind} that this version can read ({where}): {advice}")


def read_document(
    body: bytes, decode: Callable[[bytes], _Document], *, name: str, kind: str, advice: str
) -> _Document:
    """Returns the document that `decode` makes of `body`; converts msgspec's errors. Raises
    DocumentError."""
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        field, problem = _told(body, error)
        raise DocumentError(
            name=name, kind=kind, field=field, problem=problem, advice=advice
        ) from error


def converted(value: Any, form: type[_Document]) -> _Document | None:
    """Returns a decoded JSON value in this form; None if it has another form."""
    try:
        return msgspec.convert(value, form)
    except (msgspec.ValidationError, RecursionError):
        return None


def _told(body: bytes, error: Exception) -> tuple[str, str]:
    """Returns the field, and what is wrong with it."""
    if not body.strip():
        return "", "it is empty"
    if isinstance(error, RecursionError):
        return "", "it is nested too deeply"
    says, field = str(error), ""
    if found := _WHERE.fullmatch(says):
        says, field = found["problem"], found["field"]
    says = says.replace("`", "")
    return field, says if says.startswith("JSON") else says[:1].lower() + says[1:]
