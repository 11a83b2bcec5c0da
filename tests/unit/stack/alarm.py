"""How CloudWatch decides an alarm's state, as far as this stack's alarms need it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

State = Literal["OK", "ALARM"]

COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}
STATISTICS = {"Sum": sum, "Maximum": max, "SampleCount": len}


def metrics(alarm: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The namespace, name and dimensions of every metric that it looks at."""
    plain = [alarm] if "MetricName" in alarm else []
    stated = [
        one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one
    ]
    for metric in plain + stated:
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], dimensions


def period_and_periods(alarm: Mapping[str, Any]) -> tuple[int, int]:
    """The seconds of a period, and how many periods must all breach."""
    (period,) = {
        int(one["Period"])
        for one in [alarm, *(one.get("MetricStat", {}) for one in alarm.get("Metrics", ()))]
        if "Period" in one
    }
    return period, int(alarm["EvaluationPeriods"])


Values = Sequence[float] | Mapping[str, Sequence[float]]
"""of an alarm's one metric, or of each by its id"""


def state(alarm: Mapping[str, Any], periods: Sequence[Values]) -> State:
    """Its state after `periods`, each with the values that its metrics were given, latest last.

    Every one of the latest `EvaluationPeriods` periods must breach; a period without a value does
    what `TreatMissingData` says.
    """
    needed = int(alarm["EvaluationPeriods"])
    assert "DatapointsToAlarm" not in alarm
    assert len(periods) >= needed
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    for values in periods[-needed:]:
        datapoint = _datapoint(alarm, values)
        if datapoint is None:
            breaching = {"breaching": True, "notBreaching": False}[alarm["TreatMissingData"]]
        else:
            breaching = breaches(datapoint, float(alarm["Threshold"]))
        if not breaching:
            return "OK"
    return "ALARM"


def _datapoint(alarm: Mapping[str, Any], values: Values) -> float | None:
    if "Statistic" in alarm:
        assert not isinstance(values, Mapping)
        return STATISTICS[alarm["Statistic"]](values) if values else None
    stated = [one for one in alarm["Metrics"] if "MetricStat" in one]
    (math,) = (one for one in alarm["Metrics"] if "Expression" in one)
    assert all(one["ReturnData"] is False for one in stated)
    of_each = values if isinstance(values, Mapping) else {stated[0]["Id"]: values}
    found = {
        one["Id"]: STATISTICS[one["MetricStat"]["Stat"]](given) if given else None
        for one in stated
        for given in [of_each.get(one["Id"], ())]
    }
    if None in found.values() and "FILL(" not in math["Expression"]:
        return None
    # Of metric math, this stack uses what Python writes alike: numbers, ids, operations, FILL.
    known = {"__builtins__": {}, "FILL": lambda of, filler: filler if of is None else of}
    return float(eval(math["Expression"], known, found))
