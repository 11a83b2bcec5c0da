"""What the handlers are called with is taken whole or refused with the next step."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.errors import InputError
from trip_kpis.core.run.requests import ExportRequest, MergeRequest, RunRequest, SegmentRequest


def run_request(**given: Any) -> RunRequest:
    return RunRequest.from_event({"execution_name": "execution-1", "input": given})


def test_an_empty_input_asks_for_nothing_and_the_execution_names_the_run() -> None:
    assert run_request() == RunRequest(run_id="execution-1", continues=False)


def test_a_run_id_in_the_input_continues_that_run() -> None:
    assert run_request(run_id="2024-06-01_a.b") == RunRequest(
        run_id="2024-06-01_a.b", continues=True
    )


def test_everything_may_be_asked_for() -> None:
    asked = {
        "total_segments": 10_000,
        "max_concurrency": 1,
        "read_units_per_second": 0,
        "consistent_read": False,
        "estimate_only": True,
    }
    assert run_request(**asked) == RunRequest(run_id="execution-1", continues=False, **asked)


def test_null_asks_for_nothing() -> None:
    assert run_request(run_id=None, total_segments=None, estimate_only=None) == run_request()


ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/trips/export/01716603300000-a1b2c3d4"
MANIFEST = "s3://exports/AWSDynamoDB/01716603300000-a1b2c3d4/manifest-summary.json"


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({}, None),
        ({"source": "scan"}, "scan"),
        ({"source": "export"}, "export"),
        ({"export_arn": ARN}, "export"),
        ({"export_arn": ARN.replace("arn:aws:", "arn:aws-us-gov:")}, "export"),
        ({"export_manifest": MANIFEST}, "export"),
        ({"source": "export", "export_arn": ARN}, "export"),
        ({"source": "export", "export_manifest": MANIFEST, "export_arn": None}, "export"),
    ],
)
def test_a_named_export_is_the_source(given: dict[str, Any], source: str | None) -> None:
    asked = {**given, "source": source}
    assert run_request(**given) == RunRequest(run_id="execution-1", continues=False, **asked)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": "scan", "export_arn": ARN}, "source is 'scan'"),
        ({"source": "scan", "export_manifest": MANIFEST}, "source is 'scan'"),
        ({"export_arn": ARN, "export_manifest": MANIFEST}, "twice"),
    ],
)
def test_what_contradicts_itself_about_the_source_is_refused(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        run_request(**given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("total_segments", 0),
        ("total_segments", -1),
        ("total_segments", 10_001),
        ("total_segments", 1_000_001),
        ("total_segments", True),
        ("total_segments", 1.5),
        ("total_segments", "5"),
        ("total_segments", [5]),
        ("max_concurrency", 0),
        ("max_concurrency", 10_001),
        ("max_concurrency", False),
        ("read_units_per_second", -1),
        ("read_units_per_second", 10**9 + 1),
        ("read_units_per_second", float("inf")),
        ("consistent_read", "false"),
        ("consistent_read", 0),
        ("source", "backup"),
        ("source", "Export"),
        ("source", ""),
        ("source", 1),
        ("export_arn", ""),
        ("export_arn", "01716603300000-a1b2c3d4"),
        ("export_arn", "arn:aws:dynamodb:us-east-1:123456789012:table/trips"),
        ("export_arn", f"{ARN}/more"),
        ("export_arn", [ARN]),
        ("export_manifest", " "),
        ("export_manifest", MANIFEST.replace("summary", "files")),
        ("export_manifest", "/exports/manifest-summary.json"),
        ("export_manifest", True),
        ("estimate_only", "yes"),
        ("estimate_only", 1),
        ("run_id", ""),
        ("run_id", "a/b"),
        ("run_id", "a" * 81),
        ("run_id", "a b"),
        ("run_id", "a\n"),
        ("run_id", "../a"),
        ("run_id", ".a"),
        ("run_id", "-a"),
        ("run_id", "r\u00fcn"),
        ("run_id", "\u0661"),
        ("run_id", 7),
        ("run_id", False),
        ("run_id", {"a": 1}),
    ],
)
def test_a_bad_value_is_refused_by_name_and_value(name: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        run_request(**{name: value})
    assert f"{name} is {value!r}" in str(caught.value)


def test_the_message_gives_the_bounds() -> None:
    with pytest.raises(InputError, match="whole number, 1 to 10,000"):
        run_request(total_segments=1_000_001)


def test_an_unknown_field_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'segments'.*'x'.*total_segments") as caught:
        run_request(x=1, segments=5)
    assert "run_id" in str(caught.value)


@pytest.mark.parametrize("given", [None, [], "x", 7])
def test_an_input_that_is_no_object_is_refused(given: object) -> None:
    with pytest.raises(InputError, match="JSON object"):
        RunRequest.from_event({"execution_name": "e", "input": given})


@pytest.mark.parametrize("event", [None, [], "x", 7])
def test_an_event_that_is_no_object_is_refused(event: Any) -> None:
    for kind in (RunRequest, SegmentRequest, MergeRequest):
        with pytest.raises(InputError, match="JSON object"):
            kind.from_event(event)


@pytest.mark.parametrize("name", ["", "a/b", "a" * 81, 7])
def test_an_execution_name_that_is_no_run_id_is_refused(name: object) -> None:
    with pytest.raises(InputError, match="execution's name"):
        RunRequest.from_event({"execution_name": name, "input": {}})


DIGEST = "0123456789abcdef" * 4


def test_a_segment_request_is_a_run_and_a_number() -> None:
    of_run = {"run_id": "r", "plan_sha256": DIGEST}
    request = SegmentRequest.from_event({**of_run, "segment": 0})
    assert request == SegmentRequest(run_id="r", plan_sha256=DIGEST, segment=0)
    merge = MergeRequest(run_id="r", plan_sha256=DIGEST)
    assert MergeRequest.from_event(of_run) == merge
    confirmed = MergeRequest.from_event({**of_run, "empty_table_confirmed": True})
    assert confirmed == replace(merge, empty_table_confirmed=True)


def test_an_export_request_is_a_run_its_export_and_what_was_asked_for() -> None:
    event = {
        "run_id": "r",
        "plan_sha256": DIGEST,
        "export_arn": ARN,
        "max_concurrency": 7,
        "empty_table_confirmed": True,
    }
    request = ExportRequest.from_event(event)
    assert request == ExportRequest(**event)  # type: ignore[arg-type]
    assert ExportRequest.from_event({"run_id": "r", "export_arn": None}) == ExportRequest(
        run_id="r",
        plan_sha256=None,
        export_arn=None,
        max_concurrency=None,
        empty_table_confirmed=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run_id", "../r"),
        ("plan_sha256", "0"),
        ("export_arn", 7),
        ("export_arn", ""),
        ("max_concurrency", 0),
        ("empty_table_confirmed", "yes"),
    ],
)
def test_a_bad_export_request_is_refused_by_name_and_value(name: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        ExportRequest.from_event({"run_id": "r", name: value})
    assert f"{name} is {value!r}" in str(caught.value)


@pytest.mark.parametrize("segment", [None, -1, 10_000, "0", 0.0, True, [0]])
def test_a_bad_segment_is_refused(segment: object) -> None:
    with pytest.raises(InputError, match="segment"):
        SegmentRequest.from_event({"run_id": "r", "segment": segment})


@pytest.mark.parametrize("event", [{}, {"run_id": None}, {"run_id": "a/b"}, {"run_id": 1}])
def test_a_worker_and_the_merge_need_a_run_id(event: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="run_id"):
        SegmentRequest.from_event({"segment": 0, **event})
    with pytest.raises(InputError, match="run_id"):
        MergeRequest.from_event(event)


@given(st.text(max_size=90))
def test_a_run_id_is_always_one_plain_segment_of_a_key(text: str) -> None:
    try:
        run_id = run_request(run_id=text).run_id
    except InputError:
        return
    assert run_id == text
    assert run_id.isascii()
    assert 1 <= len(run_id) <= 80
    assert not set(run_id) - set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
    )


@pytest.mark.parametrize("read", [RunRequest, SegmentRequest, MergeRequest])
def test_an_event_that_names_no_run_says_what_is_missing(read: Any) -> None:
    with pytest.raises(InputError, match="must have 'run_id'"):
        read.from_event({"segment": 0})
