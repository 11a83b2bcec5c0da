"""A table with a trip of every form and of every fault, through the three handlers."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.pipeline import Pipeline
from tests.samples import trip
from trip_kpis.core.errors import TooManyRejectedError
from trip_kpis.core.items.rejections import Reason

HUGE = "9" * 38

PRECISE = "10.036694629486497001"
AT_MIDNIGHT = {"S": "2024-03-30T23:00:00Z"}

COUNTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "number": ("2024-05-25", "12.5", {"fare_amount": {"N": "12.50"}}),
    "string": ("2024-05-25", "12.5", {"fare_amount": {"S": "12.50"}}),
    "exponent": ("2024-05-25", "1500", {"fare_amount": {"S": "1.5E+3"}}),
    "float": ("2024-05-25", "0.00001", {"fare_amount": {"S": "1e-05"}}),
    "places": ("2024-05-25", PRECISE, {"fare_amount": {"S": PRECISE}}),
    "refund": ("2024-05-25", "-3", {"fare_amount": {"N": "-3"}}),
    "largest": ("2024-05-25", "999999999", {"fare_amount": {"N": "999999999"}}),
    "nothing": ("2024-05-25", "0", {"fare_amount": {"S": "-0.0"}}),
    "estimate as a string": ("2024-05-25", "1", {"estimated_fare_amount": {"S": "7e0"},
                                                 "fare_amount": {"N": "1"}}),
    "blank": ("2024-05-25", "1", {"pickup_datetime": {"S": "2024-05-25 13:19:00"}}),
    "with T": ("2024-05-25", "1", {"pickup_datetime": {"S": "2024-05-25T13:19:00"}}),
    "no seconds": ("2024-05-25", "1", {"pickup_datetime": {"S": "2024-05-25 13:19"}}),
    "fraction": ("2024-05-25", "1", {"pickup_datetime": {"S": "2024-05-25 23:59:59.999999999"}}),
    "date alone": ("2024-05-25", "1", {"pickup_datetime": {"S": "2024-05-25"}}),
    "Z": ("2024-05-26", "1", {"pickup_datetime": {"S": "2024-05-25T22:00:00Z"}}),
    "offset": ("2024-05-25", "1", {"pickup_datetime": {"S": "2024-05-26T00:30:00+03:00"}}),
    "seconds": ("2024-05-26", "1", {"pickup_datetime": {"N": "1716674400"}}),
    "milliseconds": ("2024-05-25", "1", {"pickup_datetime": {"N": "1716674399999"}}),
    "further format": ("2024-05-25", "1", {"pickup_datetime": {"S": "25/05/2024 13:19"}}),
    "midnight, clocks change": ("2024-03-31", "1", {"pickup_datetime": AT_MIDNIGHT}),
}  # fmt: skip

"""What a trip is called -> its day in Berlin, its fare, and how it is written."""

INCOMPLETE: dict[str, dict[str, Any]] = {
    "no fare": {"fare_amount": None},
    "no estimate": {"estimated_fare_amount": None},
    "null fare": {"fare_amount": {"NULL": True}},
    "null estimate": {"estimated_fare_amount": {"NULL": True}},
    "empty fare": {"fare_amount": {"S": ""}},
    "empty estimate": {"estimated_fare_amount": {"S": ""}},
    "neither, and no time": {
        "fare_amount": None,
        "estimated_fare_amount": None,
        "pickup_datetime": None,
    },
    "no estimate, and a broken fare": {
        "fare_amount": {"S": "free"},
        "estimated_fare_amount": {"NULL": True},
    },
}

REJECTED: dict[str, tuple[Reason, str, Any]] = {
    "words": (Reason.FARE_NOT_A_NUMBER, "fare_amount", {"S": "free"}),
    "not a number": (Reason.FARE_NOT_A_NUMBER, "fare_amount", {"S": "NaN"}),
    "comma": (Reason.FARE_NOT_A_NUMBER, "fare_amount", {"S": "12,50 \u20ac"}),
    "estimate": (Reason.FARE_NOT_A_NUMBER, "estimated_fare_amount", {"S": "about 5"}),
    "flag": (Reason.FARE_WRONG_TYPE, "fare_amount", {"BOOL": True}),
    "list": (Reason.FARE_WRONG_TYPE, "fare_amount", {"L": [{"N": "1"}, {"B": b"\x00"}]}),
    "map": (Reason.FARE_WRONG_TYPE, "fare_amount", {"M": {"amount": {"N": "1"}}}),
    "binary": (Reason.FARE_WRONG_TYPE, "fare_amount", {"B": b"\x00\xff"}),
    "places": (Reason.FARE_TOO_PRECISE, "fare_amount", {"S": "0.1234567890123456789"}),
    "large": (Reason.FARE_TOO_LARGE, "fare_amount", {"N": "1000000000"}),
    "no time": (Reason.TIME_MISSING, "pickup_datetime", None),
    "empty time": (Reason.TIME_MISSING, "pickup_datetime", {"S": ""}),
    "null time": (Reason.TIME_MISSING, "pickup_datetime", {"NULL": True}),
    "set": (Reason.TIME_WRONG_TYPE, "pickup_datetime", {"SS": ["2024-05-25"]}),
    "no day of the calendar": (Reason.TIME_UNREADABLE, "pickup_datetime", {"S": "2024-02-30"}),
    "24:00": (Reason.TIME_UNREADABLE, "pickup_datetime", {"S": "2024-05-25 24:00"}),
    "huge": (Reason.TIME_OUT_OF_RANGE, "pickup_datetime", {"N": HUGE}),
    "a date as a number": (Reason.TIME_OUT_OF_RANGE, "pickup_datetime", {"N": "20240525"}),
    "with a time": (Reason.TIME_OUT_OF_RANGE, "pickup_datetime", {"N": "20240525101500"}),
    "serial day": (Reason.TIME_OUT_OF_RANGE, "pickup_datetime", {"N": "45437.55"}),
    "1970": (Reason.TIME_OUT_OF_RANGE, "pickup_datetime", {"S": "1970-01-01T00:00:00Z"}),
    "2101": (Reason.TIME_OUT_OF_RANGE, "pickup_datetime", {"S": "2101-01-01"}),
    "year 10000": (Reason.TIME_OUT_OF_RANGE, "pickup_datetime", {"S": "9999-12-31T23:30:00Z"}),
}
"""What a trip is called -> the reason, and the attribute and the value at fault."""


def mixed_items() -> list[dict[str, Any]]:
    one = {"N": "1"}
    return [
        *(trip(f"counted: {name}", **{"fare_amount": one, **attributes})
          for name, (_, _, attributes) in COUNTED.items()),
        *(trip(f"incomplete: {name}", **attributes) for name, attributes in INCOMPLETE.items()),
        *(trip(f"rejected: {name}", **{attribute: value})
          for name, (_, attribute, value) in REJECTED.items()),
    ]  # fmt: skip


@pytest.fixture
def mixed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setenv("TIME_ZONE", "Europe/Berlin")
    monkeypatch.setenv("TIME_FORMATS", "%d/%m/%Y %H:%M")
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1.0")
    pipeline.make_table(mixed_items())
    return pipeline


def test_every_reason_that_the_default_definition_has_is_among_them() -> None:
    """The others are in `test_other_definitions`."""
    of_the_default = {one for one in Reason if one.startswith(("fare_", "time_"))}
    assert {reason for reason, _, _ in REJECTED.values()} == of_the_default


def test_the_counts_balance_in_the_summary_the_manifest_and_every_segment(mixed: Pipeline) -> None:
    summary = mixed.run(total_segments=3)
    manifest = json.loads(mixed.objects("runs/")["runs/run=run-1/manifest.json"])
    assert manifest["by_segment"][0].keys() >= {"scanned", "incomplete", "rejected", "counted"}
    for counts in (summary, manifest, *manifest["by_segment"]):
        rejected = sum(counts["rejected"].values())
        assert counts["scanned"] == counts["incomplete"] + rejected + counts["counted"]
    assert summary["scanned"] == len(mixed_items())
    assert summary["counted"] == summary["trips"] == len(COUNTED)
    assert summary["incomplete"] == len(INCOMPLETE)
    assert summary["rejected"] == Counter(str(reason) for reason, _, _ in REJECTED.values())
    for name in ("scanned", "incomplete", "counted"):
        assert summary[name] == sum(segment[name] for segment in manifest["by_segment"])


def test_what_counts_is_exact_to_the_last_digit(mixed: Pipeline) -> None:
    summary = mixed.run(total_segments=3)
    published = {
        key.removeprefix("kpis/date=").removesuffix("/kpi.json"): json.loads(
            body, parse_float=Decimal, parse_int=Decimal
        )
        for key, body in mixed.objects("kpis/").items()
    }
    assert sorted(published) == sorted({day for day, _, _ in COUNTED.values()})
    for day, figures in published.items():
        fares = [Decimal(fare) for when, fare, _ in COUNTED.values() if when == day]
        assert figures["date"] == day
        assert figures["trip_count"] == len(fares)
        assert figures["total_fare"] == sum(fares)
        assert (figures["min_fare"], figures["max_fare"]) == (min(fares), max(fares))
    assert Decimal(summary["total_fare"]) == sum(Decimal(fare) for _, fare, _ in COUNTED.values())


def in_json(value: Any) -> Any:
    """A value as JSON gives it back: binaries are base64 text there."""
    encoded = {b"\x00": "AA==", b"\x00\xff": "AP8="}
    return json.loads(json.dumps(value, default=encoded.__getitem__))


@pytest.mark.parametrize("page_takes_ms", [0, 60_000])
def test_every_rejected_trip_is_in_the_quarantine_with_key_reason_and_value(
    mixed: Pipeline, page_takes_ms: int
) -> None:
    for segment in mixed.plan(total_segments=3)["segments"]:
        mixed.scan(segment, page_takes_ms=page_takes_ms)
    mixed.merge()
    quarantine = mixed.objects("quarantine/run=run-1/")
    lines = [json.loads(line) for body in quarantine.values() for line in body.splitlines()]
    assert sorted(lines, key=str) == sorted(
        (
            {
                "key": {"trip_id": {"S": f"rejected: {name}"}},
                "reason": str(reason),
                "attribute": attribute,
                "value": in_json(value),
            }
            for name, (reason, attribute, value) in REJECTED.items()
        ),
        key=str,
    )
    manifest = json.loads(mixed.objects("runs/")["runs/run=run-1/manifest.json"])
    named = [key for segment in manifest["by_segment"] for key in segment["quarantine_keys"]]
    assert sorted(named) == sorted(quarantine)


def test_too_many_rejected_trips_fail_the_run_before_it_publishes_anything(
    mixed: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_REJECTED_SHARE", "0.01")
    completed = len(COUNTED) + len(REJECTED)
    with pytest.raises(
        TooManyRejectedError, match=f"{len(REJECTED)} of {completed} .*share of 0.01"
    ):
        mixed.run(total_segments=3)
    assert mixed.objects("kpis/") == mixed.objects("runs/") == {}
    assert mixed.objects("quarantine/")

    monkeypatch.setenv("MAX_REJECTED_SHARE", "1.0")
    assert mixed.merge()["trips"] == len(COUNTED)


def test_the_whole_is_the_same_however_it_is_cut(mixed: Pipeline) -> None:
    published = []
    for total_segments in (1, 5, 40):
        mixed.remove("kpis/")
        mixed.run(f"run-{total_segments}", total_segments=total_segments)
        published.append(mixed.objects("kpis/"))
    assert published[0] == published[1] == published[2]
