"""The embedded cloud of the slow form: the product's own stack, with faults to switch on."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.embedded import error_log
from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.lambda_service import LambdaService
from ops.embedded.stack import deploy
from ops.local import trips_table
from ops.local.local_stack import STACK_NAME, TABLE_NAME, TEMPLATE, LocalStack
from ops.local.page_log import PageLog
from ops.local.trip_files import Trips
from tests.faults.slots import Slots
from tests.faults.slow_deliveries import FaultyDeliveries
from tests.faults.slow_faults import FaultyServer
from tests.faults.trips import Truth, made_up
from tests.stacks import objects_in

_TRIPS = 60
_PAGE_BYTES = 500
_LONGEST_RETRY_WAIT_SECONDS = 0.02
_PARAMETERS = {
    "MaxConcurrency": "3",
    "CheckpointSeconds": "1",
    "MaxRejectedShare": "1",
    "TableName": TABLE_NAME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowCloud:
    """The product's own stack, up, with a table of which the truth is known."""

    local: LocalStack
    server: FaultyServer
    deliveries: FaultyDeliveries
    truth: Truth

    def objects(self, prefix: str) -> dict[str, bytes]:
        return objects_in(self.local, prefix)

    def empty(self, prefix: str) -> None:
        s3, bucket = self.local.cloud.client("s3"), self.local.stack.bucket_name
        for key in self.objects(prefix):
            s3.delete_object(Bucket=bucket, Key=key)


@contextmanager
def slow_cloud() -> Iterator[SlowCloud]:
    """The product's own stack, with a table of which the truth is known."""
    rng = random.Random("the table of the slow form")
    items, truth = [], Truth()
    while len(items) < _TRIPS:
        table, truth = made_up(rng, at_least_one=True, name="trip")
        items = list(table.items)
    trips = Trips(
        hash_key="trip_id", sort_key=None, items={(item["trip_id"]["S"],): item for item in items}
    )
    server, pages = FaultyServer(), PageLog(None)
    with ExitStack() as opened:
        cloud = opened.enter_context(
            EmbeddedCloud(
                middleware=server.layer, page_bytes=_PAGE_BYTES, wait_before_retry=_wait_a_little
            )
        )
        trips_table.load(cloud.client("dynamodb"), TABLE_NAME, trips, on_loaded=lambda _: None)
        stack = deploy(cloud, TEMPLATE, STACK_NAME, _PARAMETERS)
        logs = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="trip-kpis-faults-")))
        slots = Slots(
            endpoint_url=cloud.endpoint_url,
            log_directory=logs,
            role_credentials=cloud.role_credentials,
        )
        server.kill = slots.kill
        deliveries = FaultyDeliveries(slots, server)
        functions = opened.enter_context(LambdaService(cloud, stack, deliveries))
        local = LocalStack(
            cloud=cloud,
            stack=stack,
            functions=functions,
            log_directory=logs,
            own_errors=logs / error_log.NAME,
            pages=pages,
            state=None,
        )
        yield SlowCloud(local=local, server=server, deliveries=deliveries, truth=truth)


def _wait_a_little(seconds: float) -> None:
    time.sleep(min(seconds, _LONGEST_RETRY_WAIT_SECONDS))
