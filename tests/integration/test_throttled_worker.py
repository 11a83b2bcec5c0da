"""A worker that AWS throttles: slower, not failed; and why it was throttled is counted."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest

import scan_segment
from tests.faults.http_calls import Answer
from tests.integration.pipeline import Context, Pipeline, hook
from tests.samples import trip
from trip_kpis.aws import clients, read_budget, throttling
from trip_kpis.core.errors import NoProgressError, TransientError

KEY_RANGE = "TableReadKeyRangeThroughputExceeded"
PROVISIONED = "TableReadProvisionedThroughputExceeded"
ATTEMPTS = 7
"""at one request: botocore's first, and its six retries"""


def throttled(*reasons: str, code: str = "ProvisionedThroughputExceededException") -> Answer:
    member = "throttlingReasons" if code == "ThrottlingException" else "ThrottlingReasons"
    document: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": ""}
    if reasons:
        document[member] = [{"reason": one, "resource": "arn:aws:…:table/t"} for one in reasons]
    return Answer(status=400, body=json.dumps(document).encode())


SLOW_DOWN = Answer(status=503, body=b"<Error><Code>SlowDown</Code><Message>m</Message></Error>")


@dataclass
class Throttled:
    """Two segments' worth of pages, and an invocation whose time is that of its waits."""

    pipeline: Pipeline
    context: Context = field(default_factory=Context)
    waits: list[float] = field(default_factory=list)
    """the worker's own"""

    def invocation(self, number: int = 1, *, run_id: str = "run-1") -> dict[str, Any]:
        self.context.remaining_ms = 900_000
        self.context.aws_request_id = f"invocation-{number}"
        return scan_segment.handler(self.pipeline.event(run_id, segment=0), self.context)

    def seconds(self) -> float:
        """Since the invocation began."""
        return (900_000 - self.context.remaining_ms) / 1000

    def pass_seconds(self, seconds: float) -> None:
        self.context.pass_time(seconds * 1000)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.pass_seconds(seconds)
        assert self.context.remaining_ms > 5_000  # what an append is given

    def answer_scans(self, says: Callable[[], Answer | None]) -> None:
        """What DynamoDB answers to each attempt; None: a page."""

        def answer(request: Any, **_: Any) -> Any:
            said = says()
            return None if said is None else said.to_response(request.url)

        hook(self.pipeline.dynamodb, "before-send.dynamodb.Scan", answer)

    def answer_puts(self, says: Callable[[], Answer | None]) -> None:
        """What S3 answers to each attempt at a write; None: it is written."""

        def elsewhere(request: Any, **_: Any) -> Any:
            said = says()
            if said is None:
                return None
            answer = said.to_response(request.url)
            request.url = "https://no-such-bucket.s3.amazonaws.com/x"  # moto would write it
            return answer

        hook(self.pipeline.s3, "before-send.s3.PutObject", elsewhere)

    def parts(self) -> int:
        return len(self.pipeline.objects("staging/run=run-1/segment=00000/"))


@pytest.fixture
def _nothing_spent_of_the_retries() -> None:
    """Clients of the test's own: botocore retries less where much was retried before."""
    clients.dynamodb.cache_clear()
    clients.s3.cache_clear()


@pytest.fixture
def worker(
    _nothing_spent_of_the_retries: None, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Throttled]:
    pipeline.make_table(trip(f"t-{n:04d}", padding={"S": "x" * 200_000}) for n in range(30))
    pipeline.plan(total_segments=1)
    worker = Throttled(pipeline)
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=worker.pass_seconds))
    monkeypatch.setattr(
        read_budget, "time", SimpleNamespace(monotonic=worker.seconds, sleep=worker.wait)
    )
    return worker


def test_what_botocore_retries_is_counted_by_its_reasons(worker: Throttled) -> None:
    answers = iter(
        [
            throttled(KEY_RANGE),
            throttled(KEY_RANGE, PROVISIONED),
            None,
            throttled(KEY_RANGE, code="ThrottlingException"),
            throttled(code="ThrottlingException"),
            throttled(code="RequestLimitExceeded"),
        ]
    )
    worker.answer_scans(lambda: next(answers, None))
    answer = worker.invocation()
    counted = {KEY_RANGE: 3, PROVISIONED: 1, "RequestLimitExceeded": 1, "ThrottlingException": 1}
    assert answer["finished"]
    assert answer["throttles"] == counted
    assert worker.waits == []
    summary = worker.pipeline.merge()
    assert summary["throttles"] == counted
    (manifest,) = worker.pipeline.objects("runs/").values()
    document = json.loads(manifest)
    assert document["throttles"] == document["by_segment"][0]["throttles"] == counted


def test_a_run_without_any_says_so(worker: Throttled) -> None:
    assert worker.invocation()["throttles"] == {}
    assert worker.pipeline.merge()["throttles"] == {}


def test_a_worker_waits_until_the_table_answers_again(worker: Throttled) -> None:
    worker.answer_scans(lambda: throttled(KEY_RANGE) if worker.seconds() < 600 else None)
    answer = worker.invocation()
    assert answer["finished"]
    assert answer["counted"] == 30
    assert answer["throttles"][KEY_RANGE] >= ATTEMPTS
    assert max(worker.waits) > 2 * worker.waits[0]
    assert all(0.5 < wait <= 60 for wait in worker.waits)


def test_what_was_read_is_appended_before_a_long_wait(worker: Throttled) -> None:
    pages, parts_meanwhile = 0, []

    def says() -> Answer | None:
        nonlocal pages
        if pages >= 3 and worker.seconds() < 300:
            parts_meanwhile.append(worker.parts())
            return throttled(KEY_RANGE)
        pages += 1
        return None

    worker.answer_scans(says)
    answer = worker.invocation()
    assert answer["finished"]
    assert answer["parts"] >= 2
    assert parts_meanwhile[0] == 0
    assert parts_meanwhile[-1] == 1
    assert len([scan for scan in worker.pipeline.scans if "ExclusiveStartKey" not in scan]) == 1
    assert worker.pipeline.merge()["counted"] == 30


def test_a_short_wait_cuts_no_part(worker: Throttled) -> None:
    answers = iter([None, None, *([throttled(KEY_RANGE)] * ATTEMPTS)])
    worker.answer_scans(lambda: next(answers, None))
    answer = worker.invocation()
    assert (answer["finished"], answer["parts"]) == (True, 1)
    assert len(worker.waits) == 1
    assert worker.pipeline.merge()["counted"] == 30


def test_a_worker_that_is_throttled_until_its_time_is_up_leaves_the_rest_to_the_next(
    worker: Throttled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "random", SimpleNamespace(random=lambda: 0.0))
    pages = 0

    def says() -> Answer | None:
        nonlocal pages
        pages += 1
        return throttled(KEY_RANGE) if pages > 2 else None

    worker.answer_scans(says)
    answer = worker.invocation()
    assert (answer["finished"], answer["parts"], answer["pages"]) == (False, 1, 2)
    assert answer["throttles"][KEY_RANGE] > 100
    pages = -1_000
    assert worker.invocation(2)["finished"]
    assert worker.pipeline.merge()["counted"] == 30


def test_a_table_that_throttles_on_and_on_is_tried_on_and_on_and_named(worker: Throttled) -> None:
    """The state machine tries a TransientError again; two in a row are not one that is for good."""
    is_throttled = True
    worker.answer_scans(lambda: throttled(PROVISIONED) if is_throttled else None)
    for number in range(1, 4):
        with pytest.raises(TransientError, match=PROVISIONED) as caught:
            worker.invocation(number)
        assert type(caught.value) is TransientError
        assert worker.context.remaining_ms < 100_000
    for named in ("segment 0 of run run-1", "trips", "read_units_per_second", "max_concurrency"):
        assert named in str(caught.value)
    assert not worker.pipeline.objects("staging/run=run-1/standstill/")
    is_throttled = False
    assert worker.invocation(4)["finished"]
    assert worker.pipeline.merge()["counted"] == 30


def test_an_export_whose_files_s3_throttles_is_tried_on_and_on_and_named(
    exporting: Pipeline, worker: Throttled
) -> None:
    pipeline = exporting
    export = pipeline.put_export([trip(f"t-{n:04d}") for n in range(30)])
    pipeline.planned_export("of-export", export_manifest=export.url)
    is_throttled = True

    def answer(request: Any, **_: Any) -> Any:
        return (
            SLOW_DOWN.to_response(request.url) if is_throttled and "/data/" in request.url else None
        )

    hook(clients.s3(), "before-send.s3.GetObject", answer)
    for number in range(1, 4):
        with pytest.raises(TransientError, match="SlowDown") as caught:
            worker.invocation(number, run_id="of-export")
        assert type(caught.value) is TransientError
    for named in ("segment 0 of run of-export", "s3://trip-kpis", "max_concurrency"):
        assert named in str(caught.value)
    assert "read_units_per_second" not in str(caught.value)
    is_throttled = False
    assert worker.invocation(4, run_id="of-export")["counted"] == 30


def test_other_trouble_after_a_throttle_is_not_waited_for(worker: Throttled) -> None:
    answers = iter([throttled(KEY_RANGE), *([Answer(status=500, body=b"{}")] * ATTEMPTS)])
    worker.answer_scans(lambda: next(answers, None))
    with pytest.raises(TransientError, match="500"):
        worker.invocation()
    assert worker.waits == []


def test_an_append_that_s3_throttles_is_tried_until_it_is_there(worker: Throttled) -> None:
    worker.answer_puts(lambda: SLOW_DOWN if worker.seconds() < 120 else None)
    answer = worker.invocation()
    assert (answer["finished"], answer["parts"], answer["counted"]) == (True, 1, 30)
    assert worker.waits
    assert worker.pipeline.merge()["counted"] == 30


def test_an_append_that_s3_throttles_for_ever_fails_before_time_is_up(worker: Throttled) -> None:
    worker.answer_puts(lambda: SLOW_DOWN)
    with pytest.raises(TransientError, match="SlowDown"):
        worker.invocation()
    assert worker.waits
    assert worker.parts() == 0


# The read budget, which waits in the same place


def test_a_worker_with_a_budget_waits_before_it_reads_and_not_at_the_end(worker: Throttled) -> None:
    worker.pipeline.remove("staging/")
    worker.pipeline.plan(total_segments=1, max_concurrency=1, read_units_per_second=128)
    answer = worker.invocation()
    assert answer["finished"]
    assert worker.waits[0] == 3.0
    assert max(worker.waits[1:]) < 0.01  # moto's pages consume one unit each
    assert len(worker.waits) == answer["pages"]


def test_a_page_that_the_budget_has_no_time_for_is_not_asked_for(worker: Throttled) -> None:
    worker.pipeline.remove("staging/")
    worker.pipeline.plan(total_segments=1, max_concurrency=1, read_units_per_second=1)
    reads_before = len(worker.pipeline.scans)
    answer = worker.pipeline.scan(remaining_ms=120_000)
    assert (answer["finished"], answer["pages"]) == (False, 0)
    assert len(worker.pipeline.scans) == reads_before
    with pytest.raises(NoProgressError):
        worker.pipeline.scan(remaining_ms=120_000)
    assert worker.waits == []
