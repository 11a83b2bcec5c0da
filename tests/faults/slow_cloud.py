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
from ops.embedded.export_patches import ExportBehavior
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
_FILES = 5
"""of an export"""
_LATER_TRIP = {
    "trip_id": {"S": "later"},
    "fare_amount": {"N": "12.5"},
    "estimated_fare_amount": {"N": "12"},
    "pickup_datetime": {"S": "2024-05-25 13:10:00"},
}
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
    export_arn: str
    """of an export of the table"""

    @contextmanager
    def later(self) -> Iterator[None]:
        """The table has a trip more meanwhile, which is in no export."""
        dynamodb = self.local.client("dynamodb")
        dynamodb.put_item(TableName=TABLE_NAME, Item=_LATER_TRIP)
        try:
            yield
        finally:
            dynamodb.delete_item(TableName=TABLE_NAME, Key={"trip_id": _LATER_TRIP["trip_id"]})

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
                middleware=server.layer,
                page_bytes=_PAGE_BYTES,
                wait_before_retry=_wait_a_little,
                exports=ExportBehavior(files=_FILES),
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
        yield SlowCloud(
            local=local,
            server=server,
            deliveries=deliveries,
            truth=truth,
            export_arn=_exported(local),
        )


def _exported(local: LocalStack) -> str:
    dynamodb = local.client("dynamodb")
    dynamodb.update_continuous_backups(
        TableName=TABLE_NAME,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    table_arn = dynamodb.describe_table(TableName=TABLE_NAME)["Table"]["TableArn"]
    started = dynamodb.export_table_to_point_in_time(
        TableArn=table_arn, S3Bucket=local.bucket_name, S3Prefix="exports/by-hand"
    )
    return str(started["ExportDescription"]["ExportArn"])


def _wait_a_little(seconds: float) -> None:
    time.sleep(min(seconds, _LONGEST_RETRY_WAIT_SECONDS))
