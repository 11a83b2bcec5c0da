"""More forms of a time, from the parameter `TimeFormats`: formats of strptime, and words for
epochs."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from trip_kpis.core.errors import SettingError
from trip_kpis.core.items.epochs import Unit, moment
from trip_kpis.core.items.zones import time_zone_names

_EPOCHS = {f"epoch_{unit}": unit for unit in Unit}
_DIGITS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")

_DIRECTIVE = re.compile("%(.)", re.DOTALL)
_ANY_DIRECTIVE, _TIME_DIRECTIVE = "\ufffc", "\ufffb"
"""They replace the directives when the literal text of a format is examined."""
_WORD_OR_OFFSET = re.compile(
    r"(?P<word>[^\W\d_]*)(?P<offset>[+\-\u2212][0-9][0-9:]*)|(?P<alone>[^\W\d_]+)"
)
_OFFSET = re.compile("(?: ?[+-][0-9][0-9:]*)?")
_PLACE = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+")
_UTC_WORDS = {"utc", "gmt", "z", "uct", "ut", "zulu"}
_UTC_NAMES = re.compile(
    r"\b(?:coordinated universal time|universal time|universal|greenwich mean time)\b",
    re.IGNORECASE,
)
_OF_UTC = re.compile(
    r"\b(?:UTC|GMT|UCT|UT)(?P<offset>[ :]+[+-]?[0-9][0-9:.]*|[+-](?![0-9])|[+-][0-9:.]+)"
    "(?![\ufffb\ufffc0-9])",
    re.IGNORECASE,
)
"""UTC with an offset in any notation."""
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
_TIME_OF_DAY = "HIMSfpcX"
"""the directives that read a time of day"""
_WORDS_AFTER_A_TIME = {
    "h", "hr", "hrs", "hour", "hours", "uhr", "uur", "o", "clock", "m", "min", "s", "sec", "am",
    "pm", "noon", "on", "le", "den", "el", "il", "op", "dnia", "the", "of",
    "\u6642", "\u65f6", "\u5206", "\u79d2", "\uc2dc", "\ubd84", "\ucd08",
}  # fmt: skip
"""After a time of day there may be a time zone of any name: these words, in all languages, are not
time zones."""
_UTC_PLACES = {"etc/utc", "etc/gmt", "etc/uct", "etc/zulu", "etc/greenwich", "etc/universal"}
ZONE_WORDS = {
    # what tzdata has called its zones since 1970
    "acdt", "acst", "addt", "adt", "aedt", "aest", "ahdt", "ahst", "akdt", "akst", "ast",
    "awdt", "awst", "bdt", "bst", "cast", "cat", "cdt", "cest", "cet", "chst", "cst", "eat",
    "edt", "eest", "eet", "est", "gdt", "gst", "hdt", "hkst", "hkt", "hst", "idt", "ist",
    "jst", "kdt", "kst", "mdt", "mest", "met", "mmt", "msd", "msk", "mst", "nddt", "ndt",
    "nst", "nzdt", "nzst", "pdt", "pkst", "pkt", "pst", "sast", "sst", "wast", "wat", "west",
    "wet", "wib", "wit", "wita", "ydt", "yst",
    # and what people call others
    "art", "brst", "brt", "clst", "clt", "cot", "ict", "irst", "mesz", "mez", "myt", "npt",
    "pet", "pht", "sgt", "trt", "uyt", "msz", "haec", "hnec", "hne", "hae",
    "eastern", "pacific", "greenwich",
}  # fmt: skip
_US_ZONE_WORDS = {"ET", "CT", "MT", "PT"}
"""In lower case they are words of other languages, such as the French *et*."""


def check_format(time_format: str, *, setting: str) -> str:
    """Returns `time_format` if it decides a day. Raises SettingError, naming `setting`."""
    if time_format in _EPOCHS:
        return time_format
    if "%Z" in time_format.replace("%%", ""):
        raise SettingError(
            f"{setting} has the time format {time_format!r}: strptime takes the zone's name that "
            "%Z stands for and ignores it, so the day could be another; use %z and an offset"
        )
    sample = datetime(2024, 11, 29, 23, 58, 57, tzinfo=UTC)
    try:
        read_back = _strptime(sample.strftime(time_format), time_format)
    except (ValueError, re.error) as error:  # re.error: a directive that is there twice
        raise SettingError(
            f"{setting} has the time format {time_format!r}, which cannot be read back ({error}): "
            f"use strptime's directives, such as %d/%m/%Y %H:%M, or one of {', '.join(_EPOCHS)}"
        ) from error
    if read_back.date() != sample.date():
        raise SettingError(
            f"{setting} has the time format {time_format!r}, which does not contain a day: it "
            "needs a year, a month and a day, such as %d/%m/%Y %H:%M, or must be one of "
            f"{', '.join(_EPOCHS)}"
        )
    _check_zones(time_format, setting)
    return time_format


def read_by_format(text: str, time_format: str) -> datetime | None:
    """Returns the moment, or the local time if neither text nor format has an offset; None if the
    text is not in this format. Raises RejectionError: TIME_OUT_OF_RANGE."""
    if unit := _EPOCHS.get(time_format):
        return moment(Decimal(text), unit) if _DIGITS.fullmatch(text) else None
    try:
        read = _strptime(text, time_format)
    except ValueError:
        return None
    is_in_utc = read.tzinfo is None and _zones(time_format) == (True, None)
    return read.replace(tzinfo=UTC) if is_in_utc else read


def is_in_format(text: str, time_format: str) -> bool:
    """Returns whether `read_by_format` can read the text, or finds it out of range."""
    if time_format in _EPOCHS:
        return _DIGITS.fullmatch(text) is not None
    return read_by_format(text, time_format) is not None


def _strptime(text: str, time_format: str) -> datetime:
    return datetime.strptime(text, time_format)  # noqa: DTZ007 -- the callers give a naive one its zone


def _check_zones(time_format: str, setting: str) -> None:
    _, other = _zones(time_format)
    if other is None:
        return
    if offset := re.search(r"[+-][0-9]{2}:?[0-5][0-9]$", other):
        instead = f"Write it as %z: {time_format.replace(offset[0], '%z')!r}"
    elif other[-1].isdigit():
        instead = (
            "An offset is written as %z, which reads +0200 and +02:00, minutes as %M, seconds as %S"
        )
    else:
        instead = (
            "No format reads the names of other zones: the times must have an offset, such as "
            "+0200, which a format reads as %z"
        )
    raise SettingError(
        f"{setting} has the time format {time_format!r}: its text {other!r} looks like a time zone "
        f"other than UTC, which strptime would ignore, so the day could be another. {instead}. "
        "Only UTC, GMT, Z and an offset of zero are understood as they are written"
    )


@lru_cache
def _zones(time_format: str) -> tuple[bool, str | None]:
    """Returns whether the format's literal text names UTC, and the first other zone that it names.

    With %z the text's own offset counts, whatever is written around it.
    """
    if "%z" in time_format.replace("%%", ""):
        return False, None
    named = list(_named_zones(_literal(time_format)))
    others = [text for text, is_utc in named if not is_utc]
    return any(is_utc for _, is_utc in named), next(iter(others), None)


def _literal(time_format: str) -> str:
    """Returns the format's literal text, with a sign for each directive, and another sign for those
    of a time of day."""

    def sign(directive: re.Match[str]) -> str:
        if directive[1] == "%":
            return "%"
        return _TIME_DIRECTIVE if directive[1] in _TIME_OF_DAY else _ANY_DIRECTIVE

    return _DIRECTIVE.sub(sign, unicodedata.normalize("NFKC", time_format)).translate(_DASHES)


def _named_zones(literal: str) -> Iterator[tuple[str, bool]]:
    """Yields what names a time zone in a format's literal text, and whether it is UTC."""
    for place in _PLACE.findall(literal):
        if place.casefold() in {name.casefold() for name in time_zone_names()}:
            literal = literal.replace(place, _ANY_DIRECTIVE)
            yield place, place.casefold() in _UTC_PLACES
    for name in _UTC_NAMES.findall(literal):
        literal = literal.replace(name, _ANY_DIRECTIVE)
        yield name, True
    for found in _OF_UTC.finditer(literal):
        if not _OFFSET.fullmatch(found["offset"]):
            yield found[0], False
    for found in _WORD_OR_OFFSET.finditer(literal):
        before, after = literal[: found.start()], literal[found.end() :]
        is_utc = _zone_named_by(found, before, after)
        if is_utc is not None:
            yield found[0], is_utc


def _zone_named_by(found: re.Match[str], before: str, after: str) -> bool | None:
    """Returns whether a word, an offset or both name UTC; False: another zone, None: no zone."""
    word, offset = found["word"] or found["alone"], found["offset"]
    follows_a_time = _TIME_DIRECTIVE in before
    if not word:
        # -00 may be a minute as well: the format must say which
        if not _is_offset(offset, after[:1]):
            return None
        return _is_zero(offset) and (offset[0] == "+" or len(offset) > len("-00"))
    is_utc = _is_utc(word, before[-1:])
    if is_utc and follows_a_time and after[:1].isdigit():
        return False  # UT1
    if is_utc and offset:
        return _is_zero(offset)
    if is_utc is None and before[-1:] != "%" and follows_a_time:
        is_known = word.casefold() in _WORDS_AFTER_A_TIME or _is_date_time_mark(word, after)
        return None if is_known and not offset else False
    return is_utc


def _is_date_time_mark(word: str, after: str) -> bool:
    """Returns whether it is the T of ISO 8601, or words before a directive of the date or time."""
    return word.casefold() in {"t", "at", "um"} and after.lstrip()[:1] in {
        _ANY_DIRECTIVE,
        _TIME_DIRECTIVE,
    }


def _is_utc(word: str, before: str) -> bool | None:
    """Returns whether a word that names a zone names UTC; None for every other word."""
    if before == "%":
        return None  # %%Z: a placeholder that nobody has filled in
    if word == "z":  # a word of other languages, unless it is attached to a number
        return True if before in {_ANY_DIRECTIVE, _TIME_DIRECTIVE} or before.isdigit() else None
    if word.casefold() in _UTC_WORDS:
        return True
    return False if word.casefold() in ZONE_WORDS or word in _US_ZONE_WORDS else None


def _is_offset(text: str, after: str) -> bool:
    """Returns whether it is an offset: a minus may also be between the parts of a date or a time:
    ``-00-00``, ``-00:00:00``."""
    if text[0] == "+":
        return True
    return re.fullmatch("[0-9]{2}(:?[0-9]{2})?", text[1:]) is not None and after not in {"-", "."}


def _is_zero(offset: str) -> bool:
    return not offset[1:].strip("0:")
