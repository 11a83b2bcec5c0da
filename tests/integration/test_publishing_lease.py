"""One merge publishes at a time, wherever another one begins, waits, or is ended."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.pipeline import BUCKET_NAME, Pipeline, once_before
from tests.samples import trip
from trip_kpis.aws import clients
from trip_kpis.aws import lease as lease_object
from trip_kpis.core.errors import TransientError
from trip_kpis.core.layout import LEASE as LEASE_KEY

DAY, OTHER_DAY = "kpis/date=2024-05-25/kpi.json", "kpis/date=2024-05-26/kpi.json"
RUN_OUT = timedelta(minutes=17)
"""by then, no invocation that was begun before is alive"""


class EndedError(BaseException):
    """Lambda ends the invocation: nothing that catches exceptions sees it."""


def fare(amount: int, day: str = "2024-05-25", trip_id: str = "t-1") -> dict[str, Any]:
    return trip(trip_id, fare_amount={"N": str(amount)}, pickup_datetime={"S": f"{day} 13:19:00"})


def total(pipeline: Pipeline, key: str = DAY) -> int:
    figure: int = json.loads(pipeline.objects("kpis/")[key])["total_fare"]
    return figure


def scanned(pipeline: Pipeline, run_id: str) -> None:
    """A run as far as its merge."""
    pipeline.plan(run_id, total_segments=1)
    pipeline.scan(run_id=run_id)


def merged_in_time(pipeline: Pipeline, run_id: str) -> dict[str, Any]:
    """As the state machine does it: again after a TransientError."""
    for _ in range(3):
        try:
            return pipeline.merge(run_id)
        except TransientError:
            continue
    return pipeline.merge(run_id)


def lease(pipeline: Pipeline) -> dict[str, Any] | None:
    body = pipeline.objects("lease/").get(LEASE_KEY)
    return None if body is None else json.loads(body)


@pytest.fixture
def unchanged_again(pipeline: Pipeline) -> Pipeline:
    """A day that was published with 7, that an older run saw with 8, and a newer one with 7 again.

    The newer one confirms the object as it is. On SSE-S3 its ETag stays the same, so that a write
    of the older one that was prepared before would still match.
    """
    pipeline.make_table([fare(7)])
    pipeline.run("first", total_segments=1)
    pipeline.put([fare(8)])
    scanned(pipeline, "older")
    pipeline.put([fare(7)])
    scanned(pipeline, "newer")
    return pipeline


def test_a_merge_waits_while_another_run_publishes(unchanged_again: Pipeline) -> None:
    pipeline = unchanged_again

    def newer() -> None:
        with pytest.raises(TransientError, match="the run older is publishing"):
            pipeline.merge("newer")

    once_before("PutObject", newer, key="kpi.json")
    assert pipeline.merge("older")["days_published"] == 1
    assert pipeline.merge("newer")["days_published"] == 1
    assert total(pipeline) == 7
    assert lease(pipeline) is None


def test_the_older_merge_that_comes_after_the_newer_one_changes_nothing(
    unchanged_again: Pipeline,
) -> None:
    assert unchanged_again.merge("newer")["days_unchanged"] == 1
    assert unchanged_again.merge("older")["days_superseded"] == 1
    assert total(unchanged_again) == 7


def test_merges_at_the_same_time_end_with_the_newer_figures(
    unchanged_again: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two threads, which begin together and whose requests interleave as they happen to."""
    begin, pipeline = threading.Barrier(2), unchanged_again
    monkeypatch.setattr(lease_object, "time", SimpleNamespace(sleep=lambda _: time.sleep(0.01)))
    summaries: dict[str, dict[str, Any]] = {}

    def merge(run_id: str) -> None:
        begin.wait()
        summaries[run_id] = pipeline.merge(run_id)

    threads = [threading.Thread(target=merge, args=(name,)) for name in ("older", "newer")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert summaries.keys() == {"older", "newer"}
    assert total(pipeline) == 7


@contextmanager
def ended_at(call: int, *, after_its_effect: bool) -> Iterator[None]:
    """The merge's process is gone at this call to S3, counted from the lease on."""
    client = clients.s3()
    made: list[str] = []

    def before(params: dict[str, Any], model: Any, **_: Any) -> None:
        key = str(params.get("Key", params.get("Prefix", "")))
        if made or key == LEASE_KEY:
            made.append(f"{model.name} {key}")
            if len(made) > call or (len(made) == call and not after_its_effect):
                raise EndedError

    def after(**_: Any) -> None:
        if len(made) >= call:
            raise EndedError

    client.meta.events.register("provide-client-params.s3", before)
    client.meta.events.register("after-call.s3", after)
    try:
        yield
    finally:
        client.meta.events.unregister("provide-client-params.s3", before)
        client.meta.events.unregister("after-call.s3", after)


@pytest.mark.parametrize("removes", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("after_its_effect", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_wherever_a_merge_is_ended_the_newer_figures_stay(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, removes: bool, after_its_effect: bool
) -> None:
    """The older run's merge is ended at each of its calls in turn; then the newer run publishes,
    and the older one is redriven."""
    monkeypatch.setenv("VANISHED_DAYS", "remove" if removes else "keep")
    pipeline.make_table([fare(7), fare(5, "2024-05-26", "t-2")])
    pipeline.run("first", total_segments=1)
    published = pipeline.objects("kpis/")
    pipeline.put([fare(8), fare(6, "2024-05-27", "t-3")])
    scanned(pipeline, "older")
    pipeline.put([fare(7)])
    for trip_id in ("t-2", "t-3"):
        pipeline.dynamodb.delete_item(TableName="trips", Key={"trip_id": {"S": trip_id}})
    scanned(pipeline, "newer")

    call, was_ended = 0, True
    while was_ended:
        call += 1
        for prefix in ("kpis/", "lease/", "runs/run=older", "runs/run=newer"):
            pipeline.remove(prefix)
        for key, body in published.items():
            pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=body)
        with ended_at(call, after_its_effect=after_its_effect):
            try:
                pipeline.merge("older")
            except EndedError:
                pass
            else:
                was_ended = False
        merged_in_time(pipeline, "newer")
        merged_in_time(pipeline, "older")
        found = pipeline.objects("kpis/")
        assert total(pipeline) == 7, call
        assert (OTHER_DAY in found) is not removes, call
        assert ("kpis/date=2024-05-27/kpi.json" in found) is not removes, call
        pipeline.waited += RUN_OUT
    assert call > 8, "the merge has written, and was ended at each of its calls"


def test_an_ended_merge_is_repeated_at_once_by_its_own_run(unchanged_again: Pipeline) -> None:
    pipeline = unchanged_again
    with ended_at(4, after_its_effect=True), pytest.raises(EndedError):
        pipeline.merge("older")
    waited = pipeline.waited
    pipeline.merge("older")
    assert pipeline.waited == waited
    left = lease(pipeline)
    assert left is not None
    assert left["released"], "the ended invocation may still be alive for all anybody knows"
    with pytest.raises(TransientError):
        pipeline.merge("newer")
    assert merged_in_time(pipeline, "newer")["days_published"] == 1
    assert lease(pipeline) is None
    assert total(pipeline) == 7


def test_the_lease_of_a_merge_that_was_ended_expires(unchanged_again: Pipeline) -> None:
    pipeline = unchanged_again
    with ended_at(4, after_its_effect=True), pytest.raises(EndedError):
        pipeline.merge("older")
    pipeline.waited += RUN_OUT
    waited = pipeline.waited
    pipeline.merge("newer")
    assert pipeline.waited == waited


def test_a_late_write_of_an_ended_merge_does_not_take_the_lease_back(
    unchanged_again: Pipeline,
) -> None:
    """Its release comes late: the lease is another invocation's by then, and stays that one's."""
    pipeline = unchanged_again
    others: list[bytes] = []

    def end() -> None:
        raise EndedError

    def overtaken() -> None:
        pipeline.waited += RUN_OUT
        once_before("PutObject", end, key="newer/manifest.json")
        with pytest.raises(EndedError):
            pipeline.merge("newer")
        others.append(pipeline.objects("lease/")[LEASE_KEY])

    once_before("PutObject", overtaken, key="older/manifest.json")
    pipeline.merge("older")
    assert [json.loads(body)["run_id"] for body in others] == ["newer"]
    assert pipeline.objects("lease/") == {LEASE_KEY: others[0]}
    assert total(pipeline) == 7


@pytest.mark.parametrize("body", [b"", b"{}", b'{"run_id": "older"}', b"\xff"])
def test_what_is_no_lease_keeps_nobody_out(pipeline: Pipeline, body: bytes) -> None:
    pipeline.make_table([fare(7)])
    scanned(pipeline, "run-1")
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=LEASE_KEY, Body=body)
    pipeline.merge("run-1")
    assert total(pipeline) == 7
    assert lease(pipeline) is None


def test_no_lease_is_left_by_a_run_that_publishes_nothing(pipeline: Pipeline) -> None:
    pipeline.make_table([])
    pipeline.run("run-1", total_segments=1)
    assert pipeline.objects("lease/") == {}
