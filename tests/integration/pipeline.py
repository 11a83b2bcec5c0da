"""The three handlers over an in-process AWS, without the state machine in between."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import merge_partials
import plan_run
import scan_segment
from ops.embedded.export_patches import ExportBehavior
from tests.exports import StoredExport, put_export
from tests.faults.http_calls import Answer
from tests.function_environment import ENVIRONMENT
from trip_kpis.aws import clients

TABLE_NAME = ENVIRONMENT["DYNAMODB_TABLE_NAME"]
BUCKET_NAME = ENVIRONMENT["ATHENA_BUCKET_NAME"]

LAMBDAS_LIMIT_MS = 900_000


@dataclass
class Context:
    """Lambda's context; its clock stands still unless the test moves it."""

    remaining_ms: int = LAMBDAS_LIMIT_MS
    aws_request_id: str = "invocation-1"
    memory_limit_in_mb: str = "512"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms

    def pass_time(self, ms: int) -> None:
        self.remaining_ms -= ms


@dataclass
class Pipeline:
    """A table, a bucket, and the handlers in the order in which the state machine calls them."""

    dynamodb: Any
    s3: Any
    invocations: int = 0
    scans: list[dict[str, Any]] = field(default_factory=list)
    """the parameters of every Scan request so far"""
    after_scan: list[Callable[[], None]] = field(default_factory=list)
    """called after every Scan: where a test moves a clock"""
    waited: timedelta = timedelta()
    """by merges, for the publishing lease; no real time passes"""
    merging: list[Context] = field(default_factory=list)
    plan_sha256: dict[str, str] = field(default_factory=dict)
    """by run, as PlanRun returned it"""
    lambda_limit: int | None = 1_000
    """the account's unreserved Lambda executions; None: PlanRun's role may not ask"""
    exports: ExportBehavior = field(default_factory=ExportBehavior)
    """what becomes of exports, in tests with the fixture `exporting`"""

    def make_table(
        self,
        items: Iterable[dict[str, Any]] = (),
        *,
        keys: tuple[tuple[str, str], ...] = (("trip_id", "S"),),
    ) -> None:
        """A table with these key attributes (name, type), hash key first."""
        self.dynamodb.create_table(
            TableName=TABLE_NAME,
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}
                for (name, _), kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in keys
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.put(items)

    def put(self, items: Iterable[dict[str, Any]]) -> None:
        for item in items:
            self.dynamodb.put_item(TableName=TABLE_NAME, Item=item)

    def plan(self, execution_name: str = "run-1", **asked: Any) -> dict[str, Any]:
        planned = plan_run.handler({"execution_name": execution_name, "input": asked}, Context())
        self.plan_sha256[planned["run_id"]] = planned["plan_sha256"]
        return planned

    def start_export(self, source: dict[str, Any]) -> str:
        """What StartExport does with PlanRun's output; gives the ARN."""
        answer = self.dynamodb.export_table_to_point_in_time(
            TableArn=source["table_arn"],
            S3Bucket=source["bucket"],
            S3Prefix=source["prefix"],
            ClientToken=source["token"],
            ExportFormat="DYNAMODB_JSON",
            S3SseAlgorithm="AES256",
        )
        arn: str = answer["ExportDescription"]["ExportArn"]
        return arn

    def plan_export(self, planned: dict[str, Any], *, arn: str | None = None) -> dict[str, Any]:
        """PlanRun's second step, after the first, once the export is complete."""
        handed_on = ("run_id", "plan_sha256", "max_concurrency", "empty_table_confirmed")
        event = {name: planned[name] for name in handed_on}
        of_export = plan_run.handler({**event, "export_arn": arn}, Context())
        self.plan_sha256[of_export["run_id"]] = of_export["plan_sha256"]
        return of_export

    def planned_export(self, execution_name: str = "run-1", **asked: Any) -> dict[str, Any]:
        """A run as far as its segments: an export is made, unless one is named."""
        return self._with_export(self.plan(execution_name, **{"source": "export", **asked}))

    def _with_export(self, planned: dict[str, Any]) -> dict[str, Any]:
        source = planned["source"]
        if source["step"] == "scan":
            return planned
        is_started = source["step"] in {"start", "start_with_key"}
        arn = self.start_export(source) if is_started else source["arn"]
        return self.plan_export(planned, arn=arn)

    def put_export(self, *files: Iterable[dict[str, Any] | bytes], **more: Any) -> StoredExport:
        """An export of the table with these items in its data files, whatever the table has."""
        table = self.dynamodb.describe_table(TableName=TABLE_NAME)["Table"]
        return put_export(self.s3, BUCKET_NAME, files, table=table, **more)

    def turn_recovery(self, on: bool) -> None:
        self.dynamodb.update_continuous_backups(
            TableName=TABLE_NAME,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on},
        )

    def event(self, run_id: str, **more: Any) -> dict[str, Any]:
        """What the state machine hands to ScanSegment and MergePartials."""
        return {"run_id": run_id, "plan_sha256": self.plan_sha256.get(run_id), **more}

    def scan(
        self,
        segment: int = 0,
        *,
        run_id: str = "run-1",
        remaining_ms: int = LAMBDAS_LIMIT_MS,
        page_takes_ms: int = 0,
    ) -> dict[str, Any]:
        """One invocation, with so much time left, of which every page takes some."""
        self.invocations += 1
        context = Context(
            aws_request_id=f"invocation-{self.invocations}", remaining_ms=remaining_ms
        )

        def page_takes_time() -> None:
            context.pass_time(page_takes_ms)

        self.after_scan.append(page_takes_time)
        try:
            return scan_segment.handler(self.event(run_id, segment=segment), context)
        finally:
            self.after_scan.remove(page_takes_time)

    def merge(self, run_id: str = "run-1", **event: Any) -> dict[str, Any]:
        self.invocations += 1
        context = Context(aws_request_id=f"invocation-{self.invocations}")
        self.merging.append(context)
        try:
            return merge_partials.handler(self.event(run_id, **event), context)
        finally:
            self.merging.pop()

    def now(self, _tz: tzinfo) -> datetime:
        """The clock of merges: the real one, and what they have waited."""
        return datetime.now(UTC) + self.waited

    def sleep(self, seconds: float) -> None:
        """A merge waits, while its invocation's time passes."""
        self.waited += timedelta(seconds=seconds)
        self.merging[-1].pass_time(int(seconds * 1000))

    def run(self, execution_name: str = "run-1", **asked: Any) -> dict[str, Any]:
        """A whole run; gives its summary."""
        planned = self._with_export(self.plan(execution_name, **asked))
        for segment in planned["segments"]:
            while not self.scan(segment, run_id=planned["run_id"])["finished"]:
                pass
        return self.merge(planned["run_id"], empty_table_confirmed=planned["empty_table_confirmed"])

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        found = self.s3.list_objects_v2(Bucket=BUCKET_NAME, Prefix=prefix).get("Contents", [])
        return {
            one["Key"]: self.s3.get_object(Bucket=BUCKET_NAME, Key=one["Key"])["Body"].read()
            for one in found
        }

    def remove(self, prefix: str) -> None:
        for key in self.objects(prefix):
            self.s3.delete_object(Bucket=BUCKET_NAME, Key=key)

    def watch_scans(self) -> None:
        def before(params: dict[str, Any], **_: Any) -> None:
            self.scans.append(dict(params))

        def after(**_: Any) -> None:
            for act in list(self.after_scan):
                act()

        hook(self.dynamodb, "provide-client-params.dynamodb.Scan", before)
        hook(self.dynamodb, "after-call.dynamodb.Scan", after)

    def answer_for_lambda(self) -> None:
        """GetAccountSettings, which moto does not have."""

        def answer(request: Any, **_: Any) -> Any:
            limit = {"UnreservedConcurrentExecutions": self.lambda_limit}
            if self.lambda_limit is None:
                return Answer(status=403, body=b'{"Code": "AccessDeniedException"}').to_response(
                    request.url
                )
            return Answer(body=json.dumps({"AccountLimit": limit}).encode()).to_response(
                request.url
            )

        hook(clients.lambda_(), "before-send.lambda.GetAccountSettings", answer)


_HOOKS: list[tuple[Any, str, Callable[..., None]]] = []


def hook(client: Any, event: str, act: Callable[..., None]) -> None:
    """Has `act` called on an event of botocore's, until `unhook_all`."""
    client.meta.events.register(event, act)
    _HOOKS.append((client, event, act))


def unhook_all() -> None:
    """The clients outlive a test, what it hung on them does not."""
    while _HOOKS:
        client, event, act = _HOOKS.pop()
        client.meta.events.unregister(event, act)


def once_before(operation: str, act: Callable[[], object], *, key: str = "") -> None:
    """Has `act` done just before the functions' next PutObject or DeleteObject of a key that ends
    in `key`: what another worker or another run does in between."""
    client, event = clients.s3(), f"provide-client-params.s3.{operation}"

    def in_between(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].endswith(key):
            client.meta.events.unregister(event, in_between)
            act()

    hook(client, event, in_between)
