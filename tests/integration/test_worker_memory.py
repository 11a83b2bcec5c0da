"""A worker's memory depends neither on how much it rejects nor on the values that it rejects."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.faults.http_calls import Answer
from tests.integration.pipeline import Pipeline
from tests.samples import answer, trip
from trip_kpis.core.log.time_reserve import MOST_QUARANTINE_BYTES

pytestmark = pytest.mark.slow


PAGES, TRIPS_PER_PAGE, NUMBERS = 11, 200, 1_000
"""the lines of the trips have 35 MB; as objects, their values would take 500 MB"""


def answers_of_full_pages() -> Iterator[bytes]:
    """Pages of trips whose fares are lists, and at last one trip that counts."""
    fare = {"L": [{"N": str(10_000 + n)} for n in range(NUMBERS)]}
    for page in range(PAGES):
        trips = [trip(f"t-{page}-{n}", fare_amount=fare) for n in range(TRIPS_PER_PAGE)]
        yield answer(trips, end_key={"trip_id": trips[-1]["trip_id"]})
    yield answer([trip("counts")])


def test_a_worker_appends_before_what_it_rejects_fills_its_memory(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock stands still: no checkpoint is due."""
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    pipeline.make_table()
    pipeline.plan(total_segments=1)
    bodies = answers_of_full_pages()

    def answers(request: Any, **_: Any) -> AWSResponse:
        return Answer(body=next(bodies)).to_response(request.url)

    pipeline.dynamodb.meta.events.register_first("before-send.dynamodb.Scan", answers)
    try:
        assert pipeline.scan()["finished"]
    finally:
        pipeline.dynamodb.meta.events.unregister("before-send.dynamodb.Scan", answers)
    sizes = [len(body) for body in pipeline.objects("quarantine/").values()]
    of_a_page = sum(sizes) // PAGES
    assert max(sizes) < MOST_QUARANTINE_BYTES + of_a_page
    assert len(sizes) == 2
    summary = pipeline.merge()
    assert (summary["counted"], summary["rejected"]) == (
        1, {"fare_wrong_type": PAGES * TRIPS_PER_PAGE}
    )  # fmt: skip
