"""Why DynamoDB and S3 are patched: what moto does without it, and what AWS does, with it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.s3.models import FakeKey, S3Backend

from ops.embedded import storage_patches
from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.scan_layers import (
    ScanRequest,
    scans_denied_where,
    scans_reported_to,
)
from ops.embedded.server import layered

Without = Callable[[str], None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Without:
    """Leaves out the patch of that name in the clouds that this test starts."""

    def leave_out(patch: str) -> None:
        assert hasattr(storage_patches, patch)
        monkeypatch.setattr(storage_patches, patch, lambda *_: nullcontext())

    return leave_out


def made_table(cloud: EmbeddedCloud, *, items: int = 0) -> Any:
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="trips",
        KeySchema=[{"AttributeName": "trip_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "trip_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(items):
        item = {"trip_id": {"S": f"t{number:03d}"}, "text": {"S": "x" * 100}}
        client.put_item(TableName="trips", Item=item)
    return client


def table_id(client: Any) -> str | None:
    found: str | None = client.describe_table(TableName="trips")["Table"].get("TableId")
    return found


def test_moto_has_no_table_id(without: Without) -> None:
    without("tables_have_an_id")
    with EmbeddedCloud() as cloud:
        assert table_id(made_table(cloud)) is None


def test_a_table_has_an_id_of_its_own_and_another_one_when_it_is_made_again() -> None:
    with EmbeddedCloud() as cloud:
        client = made_table(cloud)
        first = table_id(client)
        assert first
        assert table_id(client) == first
        client.delete_table(TableName="trips")
        assert table_id(made_table(cloud)) not in {None, first}


def test_moto_tells_no_size(without: Without) -> None:
    without("tables_tell_their_size")
    with EmbeddedCloud() as cloud:
        table = made_table(cloud, items=3).describe_table(TableName="trips")["Table"]
        assert (table["ItemCount"], table["TableSizeBytes"]) == (3, 0)


def test_a_tables_size_is_that_of_its_items_names_and_values() -> None:
    with EmbeddedCloud() as cloud:
        table = made_table(cloud, items=3).describe_table(TableName="trips")["Table"]
        of_an_item = len("trip_id") + len("t000") + len("text") + 100
        assert (table["ItemCount"], table["TableSizeBytes"]) == (3, 3 * of_an_item)


def scanned(cloud: EmbeddedCloud, *, items: int, **asked: Any) -> list[float]:
    """The read units of each page of such a table."""
    client = made_table(cloud, items=items)
    pages = client.get_paginator("scan").paginate(
        TableName="trips", ReturnConsumedCapacity="TOTAL", **asked
    )
    return [page["ConsumedCapacity"]["CapacityUnits"] for page in pages]


def test_moto_says_that_every_page_consumes_one_read_unit(without: Without) -> None:
    without("scans_consume_what_they_read")
    with EmbeddedCloud(page_bytes=5_000) as cloud:
        assert set(scanned(cloud, items=100)) == {1.0}


@pytest.mark.parametrize(("asked", "units"), [({}, 0.5), ({"ConsistentRead": True}, 1.0)])
def test_a_page_consumes_a_read_unit_or_half_of_one_for_every_4_kib(
    asked: dict[str, Any], units: float
) -> None:
    """100 items of 115 bytes are 11,500, or three times 4 KiB; an empty page counts as one."""
    with EmbeddedCloud() as cloud:
        assert scanned(cloud, items=100, **asked) == [3 * units]
        cloud.client("dynamodb").delete_table(TableName="trips")
        assert scanned(cloud, items=0, **asked) == [units]


def test_a_table_can_be_given_the_id_of_an_earlier_clouds_table() -> None:
    with EmbeddedCloud(table_ids={"trips": "3f2a"}) as cloud:
        assert table_id(made_table(cloud)) == "3f2a"


def test_pages_end_at_the_bytes_that_the_cloud_is_given() -> None:
    def pages(**options: Any) -> int:
        with EmbeddedCloud(**options) as cloud:
            client = made_table(cloud, items=20)
            return len(list(client.get_paginator("scan").paginate(TableName="trips")))

    assert pages() == 1
    assert pages(page_bytes=500) > 4
    assert pages() == 1, "the patch is taken back"


AT_THE_MOST = 600
"""seconds, for requests that interleave"""
NOT_LONG = 0.5
"""seconds, for requests that do not: whoever waits for another one waits in vain"""


def race(cloud: EmbeddedCloud, seconds: float) -> list[str]:
    """Two conditional writes of one key, each held so long when it has looked and before it
    stores."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="results")
    results: list[str] = []

    def put(body: bytes) -> None:
        try:
            s3.put_object(Bucket="results", Key="part", Body=body, IfNoneMatch="*")
            results.append("written")
        except ClientError as error:
            results.append(error.response["Error"]["Code"])

    writers = [threading.Thread(target=put, args=(body,)) for body in (b"first", b"second")]
    with held_before_storing(seconds):
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    return sorted(results)


@contextmanager
def held_before_storing(seconds: float) -> Iterator[None]:
    """A put waits, before it stores, until another one is about to store as well, but no longer."""
    store: Any = S3Backend.put_object
    both = threading.Barrier(2)

    def store_later(self: Any, *arguments: Any, **more: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=seconds)
        return store(self, *arguments, **more)

    with storage_patches.replaced(S3Backend, "put_object", store_later):
        yield


def test_moto_lets_two_conditional_writes_of_one_key_win(without: Without) -> None:
    without("object_requests_do_not_interleave")
    with EmbeddedCloud() as cloud:
        assert race(cloud, AT_THE_MOST) == ["written", "written"]


def test_of_two_conditional_writes_of_one_key_one_wins() -> None:
    with EmbeddedCloud() as cloud:
        assert race(cloud, NOT_LONG) == ["PreconditionFailed", "written"]


def read_between_body_and_metadata(cloud: EmbeddedCloud, seconds: float) -> dict[str, str]:
    """What a reader gets who asks when moto has stored the body, so long before the metadata."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="results")
    set_metadata: Any = FakeKey.set_metadata
    asked, found = threading.Event(), []

    def read() -> None:
        asked.set()
        found.append(s3.get_object(Bucket="results", Key="part")["Metadata"])

    reader = threading.Thread(target=read)

    def set_later(self: Any, *arguments: Any, **more: Any) -> None:
        reader.start()
        asked.wait(timeout=600)
        reader.join(timeout=seconds)  # answered by now, or waiting until this request is through
        set_metadata(self, *arguments, **more)

    with storage_patches.replaced(FakeKey, "set_metadata", set_later):
        s3.put_object(Bucket="results", Key="part", Body=b"x", Metadata={"sha256": "5f"})
        reader.join()
    return dict(found[0])


def test_moto_shows_a_body_without_its_metadata(without: Without) -> None:
    without("object_requests_do_not_interleave")
    with EmbeddedCloud() as cloud:
        assert read_between_body_and_metadata(cloud, AT_THE_MOST) == {}


def test_nobody_reads_a_body_without_its_metadata() -> None:
    with EmbeddedCloud() as cloud:
        assert read_between_body_and_metadata(cloud, NOT_LONG) == {"sha256": "5f"}


def test_scans_are_reported_with_segment_and_start_key_and_others_are_not() -> None:
    reported: list[ScanRequest] = []
    with EmbeddedCloud(middleware=scans_reported_to(reported.append), page_bytes=1_000) as cloud:
        client = made_table(cloud, items=10)
        paginator = client.get_paginator("scan")
        pages = list(paginator.paginate(TableName="trips", Segment=0, TotalSegments=1))
        with pytest.raises(ClientError):
            client.scan(TableName="not-there")
        client.get_item(TableName="trips", Key={"trip_id": {"S": "t001"}})
    assert len(pages) > 1
    start_keys = [None, *(page["LastEvaluatedKey"] for page in pages[:-1])]
    assert reported == [
        ScanRequest(table_name="trips", segment=0, start_key=start_key) for start_key in start_keys
    ]


def test_a_denied_scan_fails_as_in_dynamodb_and_is_not_reported() -> None:
    reported: list[ScanRequest] = []
    layers = layered(
        scans_denied_where(lambda scan: scan.segment == 1), None, scans_reported_to(reported.append)
    )
    with EmbeddedCloud(middleware=layers) as cloud:
        client = made_table(cloud, items=1)
        client.scan(TableName="trips", Segment=0, TotalSegments=2)
        with pytest.raises(ClientError, match="not authorized to perform: dynamodb:Scan") as denial:
            client.scan(TableName="trips", Segment=1, TotalSegments=2)
    assert denial.value.response["Error"]["Code"] == "AccessDeniedException"
    assert [scan.segment for scan in reported] == [0]


PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from test_storage_patches import made_table
from ops.embedded.cloud import EmbeddedCloud
with EmbeddedCloud(page_bytes=1_000) as cloud:
    client = made_table(cloud, items=60)
    pages = client.get_paginator("scan").paginate(
        TableName="trips", Segment=1, TotalSegments=3, **json.loads(sys.argv[2])
    )
    print(json.dumps([[item["trip_id"]["S"] for item in page["Items"]] for page in pages]))
"""


@pytest.mark.slow
def test_a_segment_can_be_resumed_in_another_process() -> None:
    """Which segment an item is in, and after which other, is a matter of its key alone."""

    def pages(**start: Any) -> list[list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), json.dumps(start)],
            cwd=Path(__file__).parents[3],
            env={"PYTHONPATH": "functions:.", "PYTHONHASHSEED": str(1 + bool(start))},
            capture_output=True,
            text=True,
            check=True,
        )
        found: list[list[str]] = json.loads(done.stdout)
        return found

    whole = pages()
    assert len(whole) > 2
    rest = pages(ExclusiveStartKey={"trip_id": {"S": whole[0][-1]}})
    assert rest == whole[1:]
