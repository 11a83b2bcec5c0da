"""All settings of the functions: the name everywhere, the allowed values, and what each decides.

A setting is a parameter of the stack (`FareAttribute`), reaches a function as an environment
variable (`FARE_ATTRIBUTE`), and is a field of a run's plan, if it has one there
(`fare_attribute`). A few may be given in an execution's input instead.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from trip_kpis.core.errors import InputError, SettingError

Environment = Mapping[str, str]

MOST_SEGMENTS = 10_000
"""The list of segments is part of one state, which has at most 256 KiB."""
MOST_CONCURRENCY = 10_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html"""
MOST_READ_UNITS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting whose value is text; the kinds of settings below read it as something else."""

    parameter: str
    """name of the stack's parameter"""
    default: str | None
    """default of the stack's parameter; None: it must be given, or the stack sets it"""
    must_be: str
    """what a value looks like, in words"""
    decides_figures: bool = False
    """whether two runs with different values may publish different figures"""
    named: str | None = None
    """the environment variable, if it is not the parameter's name in capitals"""

    @property
    def variable(self) -> str:
        """Returns the name of the environment variable."""
        return self.named or self.field.upper()

    @property
    def field(self) -> str:
        """Returns the field's name in the plan and in an execution's input."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.parameter).lower()

    def text(self, environment: Environment) -> str:
        """Returns the value. Raises SettingError where there is none."""
        value = environment.get(self.variable, "")
        if not value.strip():
            raise self.wrong(environment)
        return value

    def wrong(self, environment: Environment, *, hint: str = "") -> SettingError:
        """Returns the error for a wrong value, which names the parameter, the value and what it
        must be."""
        value = environment.get(self.variable)
        if value is None:
            # In no stack: the template sets every variable.
            return SettingError(
                f"the environment variable {self.variable} is not set: it must be {self.must_be}. "
                f"The stack's parameter {self.parameter} sets it"
            )
        return SettingError(f"{self.parameter} is {value!r}: it must be {self.must_be}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Setting):
    """A setting that is a whole number."""

    least: int
    most: int
    least_in_input: int | None = None
    """the limits of an execution's input, if they are not the stack's; None: the same"""

    def read(self, environment: Environment) -> int:
        """Reads the number from the environment. Raises SettingError."""
        text = self.text(environment)
        if not (text.isascii() and text.isdigit() and self.least <= int(text) <= self.most):
            raise self.wrong(environment)
        return int(text)

    def asked(self, given: Mapping[str, object]) -> int | None:
        """Reads the number from an execution's input; None if it has none. Raises InputError."""
        least = self.least if self.least_in_input is None else self.least_in_input
        return whole_number(given, self.field, least, self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Setting):
    """A setting that is a share, exactly as it is written: 0.29 as a float is a little less."""

    def read(self, environment: Environment) -> Decimal:
        """Reads the share from the environment. Raises SettingError."""
        text = self.text(environment)
        try:
            fits = 0 <= Decimal(text) <= 1
        except InvalidOperation:  # no number, or NaN
            fits = False
        if not fits:
            raise self.wrong(environment)
        return Decimal(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Setting):
    """A setting that is one of a few words."""

    choices: tuple[str, ...]

    def read(self, environment: Environment) -> str:
        """Reads the word from the environment. Raises SettingError."""
        text = self.text(environment)
        if text not in self.choices:
            raise self.wrong(environment)
        return text

    def asked(self, given: Mapping[str, object]) -> bool | None:
        """Reads `true` or `false` from an execution's input, as one of the words; None if it has
        none.

        Raises InputError.
        """
        return flag(given, self.field)


def text(given: Mapping[str, object], name: str) -> str | None:
    """Returns the text that an input has under this name, if it has one. Raises InputError."""
    value = given.get(name)
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise InputError(f"{name} is {value!r}: it must be a text that is not empty")
    return value


def whole_number(given: Mapping[str, object], name: str, least: int, most: int) -> int | None:
    """Returns the number that an input has under this name, if it has one. Raises InputError."""
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} is {value!r}: it must be {_range(least, most)}")
    return value


def flag(given: Mapping[str, object], name: str) -> bool | None:
    """Returns the Boolean that an input has under this name, if it has one. Raises InputError."""
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise InputError(f"{name} is {value!r}: it must be true or false")
    return value


def _range(least: int, most: int) -> str:
    return f"a whole number, {least:,} to {most:,}"


def _whole(
    parameter: str, default: int, least: int, most: int, *, least_in_input: int | None = None
) -> Whole:
    return Whole(
        parameter=parameter,
        default=str(default),
        must_be=_range(least, most),
        least=least,
        most=most,
        least_in_input=least_in_input,
    )


def _choice(parameter: str, *choices: str) -> Choice:
    """Returns a choice, whose first word is the default."""
    return Choice(
        parameter=parameter, default=choices[0], must_be=" or ".join(choices), choices=choices
    )


_PATH = "an attribute path, such as trip_end.fare_amount"

TABLE_NAME = Setting(
    parameter="TableName",
    named="DYNAMODB_TABLE_NAME",
    default=None,
    must_be="the trips table's name",
)
BUCKET_NAME = Setting(
    parameter="BucketName",
    named="ATHENA_BUCKET_NAME",
    default="",
    must_be="the name of the bucket for results",
)
BUCKET_KMS_KEY_ARN = Setting(
    parameter="BucketKmsKeyArn", default="", must_be="the ARN of a customer-managed key"
)
KPI_DEFINITION = Setting(
    parameter="KpiDefinition",
    default="trips",
    must_be="the name of a file in functions/definitions/ without .toml, such as trips",
    decides_figures=True,
)
SOURCE = _choice("Source", "scan", "export")
FARE_ATTRIBUTE = Setting(
    parameter="FareAttribute", default="fare_amount", must_be=_PATH, decides_figures=True
)
ESTIMATED_FARE_ATTRIBUTE = Setting(
    parameter="EstimatedFareAttribute",
    default="estimated_fare_amount",
    must_be=_PATH,
    decides_figures=True,
)
DAY_ATTRIBUTE = Setting(
    parameter="DayAttribute", default="pickup_datetime", must_be=_PATH, decides_figures=True
)
TIME_ZONE = Setting(
    parameter="TimeZone",
    default="UTC",
    must_be="an IANA time zone's name, such as UTC or Europe/Berlin",
    decides_figures=True,
)
TIME_FORMATS = Setting(
    parameter="TimeFormats",
    default="",
    must_be="strptime formats with | between them",
    decides_figures=True,
)
EARLIEST_DAY = Setting(
    parameter="EarliestDay",
    default="2000-01-01",
    must_be="a day from 1900-01-01 to 2100-12-31, such as 2000-01-01",
    decides_figures=True,
)
TOTAL_SEGMENTS = _whole("TotalSegments", 0, 0, MOST_SEGMENTS, least_in_input=1)
"""0: depends on the table's size"""
MAX_CONCURRENCY = _whole("MaxConcurrency", 32, 1, MOST_CONCURRENCY)
READ_UNITS_PER_SECOND = _whole("ReadUnitsPerSecond", 0, 0, MOST_READ_UNITS)
"""budget of the whole run; 0: unlimited"""
CONSISTENT_READ = _choice("ConsistentRead", "false", "true")
CHECKPOINT_SECONDS = _whole("CheckpointSeconds", 60, 1, 600)
MAX_REJECTED_SHARE = Share(
    parameter="MaxRejectedShare", default="0.01", must_be="a share from 0 to 1, such as 0.01"
)
VANISHED_DAYS = _choice("VanishedDays", "keep", "remove")
SHRUNK_DAYS = _choice("ShrunkDays", "publish", "keep")
OPEN_DAYS = _choice("OpenDays", "publish", "skip")
SCAN_MEMORY = _whole("ScanMemory", 512, 256, 10_240)
MERGE_MEMORY = _whole("MergeMemory", 1769, 512, 10_240)

SETTINGS: tuple[Setting, ...] = (
    TABLE_NAME,
    BUCKET_NAME,
    BUCKET_KMS_KEY_ARN,
    KPI_DEFINITION,
    SOURCE,
    FARE_ATTRIBUTE,
    ESTIMATED_FARE_ATTRIBUTE,
    DAY_ATTRIBUTE,
    TIME_ZONE,
    TIME_FORMATS,
    EARLIEST_DAY,
    TOTAL_SEGMENTS,
    MAX_CONCURRENCY,
    READ_UNITS_PER_SECOND,
    CONSISTENT_READ,
    CHECKPOINT_SECONDS,
    MAX_REJECTED_SHARE,
    VANISHED_DAYS,
    SHRUNK_DAYS,
    OPEN_DAYS,
    SCAN_MEMORY,
    MERGE_MEMORY,
)
ASKED_BY_RUN = (TOTAL_SEGMENTS, MAX_CONCURRENCY, READ_UNITS_PER_SECOND, CONSISTENT_READ)
"""the settings that an execution's input may override"""


def default_environment() -> dict[str, str]:
    """Returns the functions' variables with the stack's defaults, without the variables that have
    none."""
    return {one.variable: one.default for one in SETTINGS if one.default is not None}
