"""Table exports of the embedded AWS: what moto does, and what AWS does, with the patches."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.embedded import cloud as cloud_module
from ops.embedded import export_patches
from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.export_patches import ExportBehavior

BUCKET = "exports-are-here"
ACCOUNT = f"{EmbeddedCloud.region}:{EmbeddedCloud.account_id}"
DENIED = "AccessDeniedException"


class Exporting:
    """A cloud with a bucket, in which a test makes tables of its own. It enforces IAM, and its
    waits are noted and not waited for."""

    def __init__(self, cloud: EmbeddedCloud, waits: list[float]) -> None:
        self.cloud = cloud
        self.waits = waits
        self.dynamodb = cloud.client("dynamodb")
        self.s3 = cloud.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)

    def table(
        self, items: list[dict[str, Any]] | None = None, *, recovery: bool = True, key: str = "S"
    ) -> str:
        """The name of a new table with these items, whose hash key is `trip_id`."""
        name = f"trips-{uuid.uuid4().hex}"
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "trip_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "trip_id", "AttributeType": key}],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in items or []:
            self.dynamodb.put_item(TableName=name, Item=item)
        if recovery:
            self.recover(name, True)
        return name

    def recover(self, table: str, enabled: bool) -> None:
        self.dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
        )

    def start(self, table: str, *, client: Any = None, **asked: Any) -> dict[str, Any]:
        client = client or self.dynamodb
        request = {"TableArn": arn(table), "S3Bucket": BUCKET, "S3Prefix": "here", **asked}
        description: dict[str, Any] = client.export_table_to_point_in_time(**request)[
            "ExportDescription"
        ]
        return description

    def describe(self, export_arn: str) -> dict[str, Any]:
        described: dict[str, Any] = self.dynamodb.describe_export(ExportArn=export_arn)
        description: dict[str, Any] = described["ExportDescription"]
        return description

    def exported(self, table: str, **asked: Any) -> dict[str, Any]:
        return self.describe(self.start(table, **asked)["ExportArn"])

    def body(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def files(self, export: dict[str, Any]) -> list[dict[str, Any]]:
        summary = json.loads(self.body(export["ExportManifest"]))
        lines = self.body(summary["manifestFilesS3Key"]).decode().splitlines()
        return [json.loads(line) for line in lines]

    def items(self, export: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            json.loads(line)["Item"]
            for file in self.files(export)
            for line in gzip.decompress(self.body(file["dataFileS3Key"])).splitlines()
        ]

    def role(self, table: str, *grants: dict[str, str]) -> str:
        """The ARN of a new role that may do this on these resources."""
        name = f"exporter-{uuid.uuid4().hex}"
        statements = [
            {
                "Effect": "Allow",
                "Action": action,
                "Resource": f"arn:aws:s3:::{BUCKET}/{on}"
                if action.startswith("s3:")
                else f"arn:aws:dynamodb:{ACCOUNT}:{on.format(table=table)}",
            }
            for grant in grants
            for action, on in grant.items()
        ]
        iam = self.cloud.client("iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="exports", PolicyDocument=policy)
        role_arn: str = made["Role"]["Arn"]
        return role_arn

    def execution(self, table: str, *grants: dict[str, str]) -> dict[str, Any]:
        """The end of an execution of MACHINE, whose role has these grants."""
        client = self.cloud.client("stepfunctions")
        machine = client.create_state_machine(
            name=f"exporting-{uuid.uuid4().hex}",
            definition=json.dumps(MACHINE),
            roleArn=self.role(table, *grants),
        )["stateMachineArn"]
        asked = json.dumps({"table_arn": arn(table), "token": uuid.uuid4().hex})
        started = client.start_execution(stateMachineArn=machine, input=asked)["executionArn"]
        while True:
            ended: dict[str, Any] = client.describe_execution(executionArn=started)
            if ended["status"] != "RUNNING":
                return ended
            threading.Event().wait(0.02)


@pytest.fixture(scope="module")
def _exporting_of_the_file() -> Iterator[Exporting]:
    waits: list[float] = []
    with EmbeddedCloud(enforce_iam=True, wait_before_retry=waits.append) as cloud:
        yield Exporting(cloud, waits)


@pytest.fixture
def exporting(_exporting_of_the_file: Exporting) -> Exporting:
    _exporting_of_the_file.cloud.exports = ExportBehavior(files=3)
    _exporting_of_the_file.waits.clear()
    return _exporting_of_the_file


def arn(table: str) -> str:
    return f"arn:aws:dynamodb:{ACCOUNT}:table/{table}"


def trip(number: int, **more: Any) -> dict[str, Any]:
    return {"trip_id": {"S": f"t{number:03d}"}, "fare": {"N": "12.5"}, **more}


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_moto_writes_no_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def left_out(*_: Any) -> Iterator[None]:
        yield

    monkeypatch.setattr(cloud_module, "tables_are_exported_as_in_aws", left_out)
    with EmbeddedCloud() as cloud:
        exporting = Exporting(cloud, [])
        started = exporting.start(exporting.table([trip(1)]))
        assert "/import/" in started["ExportArn"]
        exporting.describe(started["ExportArn"])
        listed = exporting.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        assert not [found["Key"] for found in listed if "manifest" in found["Key"]]


def test_an_export_is_begun_then_described_as_completed(exporting: Exporting) -> None:
    before = datetime.now(UTC)
    table = exporting.table([trip(number) for number in range(10)])
    started = exporting.start(table, ClientToken="no-secret-once")
    table_id = exporting.dynamodb.describe_table(TableName=table)["Table"]["TableId"]
    arn_of_table, _, export_id = started["ExportArn"].partition("/export/")
    assert arn_of_table == arn(table)
    assert started == {
        "ExportArn": started["ExportArn"],
        "ExportStatus": "IN_PROGRESS",
        "StartTime": started["StartTime"],
        "TableArn": arn(table),
        "TableId": table_id,
        "ExportTime": started["ExportTime"],
        "ClientToken": "no-secret-once",
        "S3Bucket": BUCKET,
        "S3Prefix": "here",
        "S3SseAlgorithm": "AES256",
        "ExportFormat": "DYNAMODB_JSON",
    }
    export = exporting.describe(started["ExportArn"])
    size = exporting.dynamodb.describe_table(TableName=table)["Table"]["TableSizeBytes"]
    assert export == {
        **started,
        "ExportStatus": "COMPLETED",
        "EndTime": export["EndTime"],
        "ExportManifest": f"here/AWSDynamoDB/{export_id}/manifest-summary.json",
        "ItemCount": 10,
        "BilledSizeBytes": size,
    }
    after = datetime.now(UTC)
    assert before.replace(microsecond=0) <= export["ExportTime"] <= export["EndTime"] <= after


def test_the_bucket_has_what_the_export_says(exporting: Exporting) -> None:
    items = [trip(number) for number in range(10)]
    export = exporting.exported(exporting.table(items))
    summary_key = export["ExportManifest"]
    summary = json.loads(exporting.body(summary_key))
    for name, described in {
        "exportArn": "ExportArn",
        "tableArn": "TableArn",
        "tableId": "TableId",
        "s3Bucket": "S3Bucket",
        "s3Prefix": "S3Prefix",
        "s3SseAlgorithm": "S3SseAlgorithm",
        "billedSizeBytes": "BilledSizeBytes",
        "itemCount": "ItemCount",
        "outputFormat": "ExportFormat",
    }.items():
        assert summary[name] == export[described]
    for name, described in {
        "startTime": "StartTime",
        "endTime": "EndTime",
        "exportTime": "ExportTime",
    }.items():
        assert datetime.fromisoformat(summary[name]) == export[described]
    for key in (summary_key, summary["manifestFilesS3Key"]):
        md5 = base64.b64encode(hashlib.md5(exporting.body(key)).digest())
        assert exporting.body(key.replace(".json", ".md5")) == md5
    folder = summary_key.rpartition("/")[0]
    listed = exporting.s3.list_objects_v2(Bucket=BUCKET, Prefix=folder)["Contents"]
    files = exporting.files(export)
    assert {found["Key"].removeprefix(f"{folder}/") for found in listed} == {
        "_started",
        "manifest-files.json",
        "manifest-files.md5",
        "manifest-summary.json",
        "manifest-summary.md5",
        *(file["dataFileS3Key"].removeprefix(f"{folder}/") for file in files),
    }
    for file in files:
        md5 = base64.b64encode(hashlib.md5(exporting.body(file["dataFileS3Key"])).digest())
        assert file["md5Checksum"] == md5.decode()
        head = exporting.s3.head_object(Bucket=BUCKET, Key=file["dataFileS3Key"])
        assert head["ETag"] == f'"{file["etag"]}"'
        assert head["ServerSideEncryption"] == "AES256"
    found = sorted(exporting.items(export), key=lambda item: item["trip_id"]["S"])
    assert found == items


def test_items_are_exported_as_they_were_put(exporting: Exporting) -> None:
    values: list[dict[str, Any]] = [
        {"B": b"\0\1\xff"},
        {"N": "1234567890123456789012345678901234567.8"},
        {"S": 'Ünïcode "🚕"\n\u2028 line'},
        {"S": "x" * (400 * 1024 - 100)},
        {"BOOL": False},
        {"NULL": True},
        {"SS": ["a", "b"]},
        {"NS": ["1", "2.5"]},
        {"BS": [b"\0", b"\xff"]},
        {"L": [{"B": b"\0"}, {"M": {"deep": {"BS": [b"\1"]}}}]},
        {"M": {"map": {"M": {"b": {"B": b"\2"}, "n": {"N": "1E-130"}}}}},
    ]
    items = [{"trip_id": {"B": bytes([n, 255])}, "value": v} for n, v in enumerate(values)]
    found = exporting.items(exporting.exported(exporting.table(items, key="B")))

    def read(value: Any) -> Any:
        """DynamoDB JSON of the export -> as boto3's client has it."""
        ((kind, inner),) = value.items()
        match kind:
            case "B":
                return {"B": base64.b64decode(inner)}
            case "BS":
                return {"BS": [base64.b64decode(one) for one in inner]}
            case "L":
                return {"L": [read(one) for one in inner]}
            case "M":
                return {"M": {name: read(one) for name, one in inner.items()}}
        return value

    as_put = [{name: read(value) for name, value in item.items()} for item in found]
    assert sorted(as_put, key=lambda item: item["trip_id"]["B"]) == items


def test_all_items_of_a_hash_key_are_in_one_file(exporting: Exporting) -> None:
    name = f"trips-{uuid.uuid4().hex}"
    exporting.dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "car", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "car", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(60):
        item = {"car": {"S": f"c{number % 12}"}, "at": {"N": str(number)}}
        exporting.dynamodb.put_item(TableName=name, Item=item)
    exporting.recover(name, True)
    export = exporting.exported(name)
    cars = [
        {
            json.loads(line)["Item"]["car"]["S"]
            for line in gzip.decompress(exporting.body(file["dataFileS3Key"])).splitlines()
        }
        for file in exporting.files(export)
    ]
    assert len(cars) == 3
    assert sum(map(len, cars)) == len(set.union(*cars)) == 12
    assert export["ItemCount"] == 60


def test_an_empty_table_has_empty_files(exporting: Exporting) -> None:
    export = exporting.exported(exporting.table())
    assert (export["ItemCount"], export["BilledSizeBytes"]) == (0, 0)
    assert [file["itemCount"] for file in exporting.files(export)] == [0, 0, 0]
    assert exporting.items(export) == []


def test_a_later_write_changes_nothing_of_an_export(exporting: Exporting) -> None:
    table = exporting.table([trip(1), trip(2)])
    export = exporting.exported(table)
    exporting.dynamodb.put_item(TableName=table, Item=trip(3))
    assert exporting.describe(export["ExportArn"]) == export
    assert len(exporting.items(export)) == 2


NOT_LONG = 0.5
"""seconds; a write that waits for an export waits for longer"""


def test_no_write_comes_between_an_exports_items(
    exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first of two items is exported, somebody changes both."""
    table = exporting.table([trip(1, at={"N": "0"}), trip(2, at={"N": "0"})])
    client = exporting.cloud.client("dynamodb")
    partition, writing = export_patches._partition, threading.Event()

    def change() -> None:
        for key in (1, 2):
            client.put_item(TableName=table, Item=trip(key, at={"N": "1"}))

    change_both = threading.Thread(target=change)

    def change_and_partition(item: Any, partitions: int) -> int:
        if not writing.is_set():
            writing.set()
            change_both.start()
            change_both.join(NOT_LONG)
        return partition(item, partitions)

    monkeypatch.setattr(export_patches, "_partition", change_and_partition)
    export = exporting.exported(table)
    change_both.join()
    assert [item["at"] for item in exporting.items(export)] == [{"N": "0"}] * 2
    later = exporting.exported(table)
    assert [item["at"] for item in exporting.items(later)] == [{"N": "1"}] * 2


def test_the_same_token_is_the_same_export(exporting: Exporting) -> None:
    table, token = exporting.table([trip(1)]), uuid.uuid4().hex
    first = exporting.start(table, ClientToken=token)
    exporting.dynamodb.put_item(TableName=table, Item=trip(2))
    second = exporting.start(table, ClientToken=token)
    assert second == first
    assert exporting.describe(first["ExportArn"])["ItemCount"] == 1
    assert exporting.start(table)["ExportArn"] != first["ExportArn"]


@pytest.mark.parametrize(
    "changed", [{"S3Prefix": "there"}, {"S3SseAlgorithm": "KMS"}, {"ExportType": "FULL_EXPORT"}]
)
def test_the_same_token_for_something_else_is_a_conflict(
    exporting: Exporting, changed: dict[str, str]
) -> None:
    table, token = exporting.table([trip(1)]), uuid.uuid4().hex
    exporting.start(table, ClientToken=token)
    code, _ = refusal(lambda: exporting.start(table, ClientToken=token, **changed))
    assert code == "ExportConflictException"


def test_a_refused_request_does_not_use_up_its_token(exporting: Exporting) -> None:
    table, token = exporting.table([trip(1)], recovery=False), uuid.uuid4().hex
    code, message = refusal(lambda: exporting.start(table, ClientToken=token))
    assert code == "PointInTimeRecoveryUnavailableException"
    assert message == f"Point in time recovery is not enabled for table '{table}'"
    exporting.recover(table, True)
    exporting.start(table, ClientToken=token)
    exporting.recover(table, False)
    assert refusal(lambda: exporting.start(table))[0] == "PointInTimeRecoveryUnavailableException"


def test_what_is_not_there_is_not_found(exporting: Exporting) -> None:
    assert refusal(lambda: exporting.start("no-such-table"))[0] == "TableNotFoundException"
    unknown = f"{arn('trips')}/export/01234567890123-a1b2c3d4"
    assert refusal(lambda: exporting.describe(unknown))[0] == "ExportNotFoundException"
    assert refusal(lambda: exporting.describe(arn("trips")))[0] == "ValidationException"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ExportFormat": "ION"}, "ValidationException"),
        ({"ExportType": "INCREMENTAL_EXPORT"}, "ValidationException"),
        ({"ExportTime": datetime(2024, 6, 1, tzinfo=UTC)}, "InvalidExportTimeException"),
    ],
)
def test_what_the_embedded_aws_cannot_export_is_refused(
    exporting: Exporting, asked: dict[str, Any], code: str
) -> None:
    table = exporting.table([trip(1)])
    found, message = refusal(lambda: exporting.start(table, **asked))
    assert found == code
    assert "embedded AWS" in message


def test_an_export_into_a_bucket_that_is_not_there_fails(exporting: Exporting) -> None:
    """AWS accepts the request, and says so in the description."""
    export = exporting.exported(exporting.table([trip(1)]), S3Bucket="no-such-bucket")
    assert (export["ExportStatus"], export["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    assert "The specified bucket does not exist" in export["FailureMessage"]
    assert "ExportManifest" not in export


def test_an_export_can_be_in_progress_for_some_time(exporting: Exporting) -> None:
    exporting.cloud.exports = ExportBehavior(in_progress=2)
    started = exporting.start(exporting.table([trip(1)]))
    exporting.cloud.exports = ExportBehavior()
    (listed,) = exporting.dynamodb.list_exports(TableArn=started["TableArn"])["ExportSummaries"]
    assert listed == {
        "ExportArn": started["ExportArn"],
        "ExportStatus": "IN_PROGRESS",
        "ExportType": "FULL_EXPORT",
    }
    described = [exporting.describe(started["ExportArn"]) for _ in range(4)]
    assert described[:2] == [started, started]
    assert [one["ExportStatus"] for one in described[2:]] == ["COMPLETED", "COMPLETED"]
    (listed,) = exporting.dynamodb.list_exports(TableArn=started["TableArn"])["ExportSummaries"]
    assert listed["ExportStatus"] == "COMPLETED"


def test_an_export_can_fail(exporting: Exporting) -> None:
    exporting.cloud.exports = ExportBehavior(failure=("UNKNOWN", "it was not to be"))
    export = exporting.exported(exporting.table([trip(1)]), S3Prefix="failed")
    assert export["ExportStatus"] == "FAILED"
    assert (export["FailureCode"], export["FailureMessage"]) == ("UNKNOWN", "it was not to be")
    (only,) = exporting.s3.list_objects_v2(Bucket=BUCKET, Prefix="failed/")["Contents"]
    assert only["Key"].endswith("/_started")


def test_a_kms_key_is_that_of_the_objects(exporting: Exporting) -> None:
    key = exporting.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    export = exporting.exported(exporting.table([trip(1)]), S3SseAlgorithm="KMS", S3SseKmsKeyId=key)
    summary = json.loads(exporting.body(export["ExportManifest"]))
    assert (summary["s3SseAlgorithm"], summary["s3SseKmsKeyId"]) == ("KMS", key)
    head = exporting.s3.head_object(Bucket=BUCKET, Key=export["ExportManifest"])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


ON_THE_TABLE = {"dynamodb:ExportTableToPointInTime": "table/{table}"}
ON_THE_EXPORT = {"dynamodb:DescribeExport": "table/{table}/export/*"}
ON_THE_PREFIX = {"s3:PutObject": "exports/*"}
MACHINE = {
    "StartAt": "Start",
    "States": {
        "Start": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:exportTableToPointInTime",
            "Parameters": {
                "TableArn.$": "$.table_arn",
                "S3Bucket": BUCKET,
                "S3Prefix": "exports/run=1",
                "ClientToken.$": "$.token",
                "ExportFormat": "DYNAMODB_JSON",
                "S3SseAlgorithm": "AES256",
            },
            "ResultSelector": {"arn.$": "$.ExportDescription.ExportArn"},
            "Next": "Describe",
        },
        "Describe": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:describeExport",
            "Parameters": {"ExportArn.$": "$.arn"},
            "ResultSelector": {
                "arn.$": "$.ExportDescription.ExportArn",
                "status.$": "$.ExportDescription.ExportStatus",
            },
            "Next": "Done",
        },
        "Done": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.status", "StringEquals": "IN_PROGRESS", "Next": "WaitForExport"}
            ],
            "Default": "End",
        },
        "WaitForExport": {"Type": "Wait", "Seconds": 300, "Next": "Describe"},
        "End": {"Type": "Succeed"},
    },
}
"""exports a table and waits for it"""


def test_a_state_machine_waits_until_the_export_is_completed(exporting: Exporting) -> None:
    """Its tasks have the credentials of its role, which may do this and nothing else."""
    exporting.cloud.exports = ExportBehavior(in_progress=3)
    table = exporting.table([trip(1)])
    ended = exporting.execution(table, ON_THE_TABLE, ON_THE_EXPORT, ON_THE_PREFIX)
    assert ended["status"] == "SUCCEEDED", ended
    output = json.loads(ended["output"])
    assert output["status"] == "COMPLETED"
    assert exporting.waits == [300, 300, 300]
    assert exporting.describe(output["arn"])["ItemCount"] == 1


def test_a_state_machine_sees_a_failed_export(exporting: Exporting) -> None:
    exporting.cloud.exports = ExportBehavior(in_progress=1, failure=("UNKNOWN", "no"))
    table = exporting.table([trip(1)])
    ended = exporting.execution(table, ON_THE_TABLE, ON_THE_EXPORT, ON_THE_PREFIX)
    assert json.loads(ended["output"])["status"] == "FAILED"


@pytest.mark.parametrize(
    ("grants", "action"),
    [
        ((ON_THE_EXPORT, ON_THE_PREFIX), "dynamodb:ExportTableToPointInTime"),
        ((ON_THE_TABLE, ON_THE_PREFIX), "dynamodb:DescribeExport"),
    ],
)
def test_a_state_machines_role_needs_both_actions(
    exporting: Exporting, grants: tuple[dict[str, str], ...], action: str
) -> None:
    ended = exporting.execution(exporting.table([trip(1)]), *grants)
    assert ended["status"] == "FAILED"
    assert "DynamoDb" in ended["error"]
    assert f"not authorized to perform: {action}" in ended["cause"]


def test_a_role_that_may_not_write_objects_has_a_failed_export(exporting: Exporting) -> None:
    table = exporting.table([trip(1)])
    ended = exporting.execution(table, ON_THE_TABLE, ON_THE_EXPORT)
    output = json.loads(ended["output"])
    assert output["status"] == "FAILED"
    assert exporting.describe(output["arn"])["FailureCode"] == "S3AccessDenied"


def test_the_grants_of_one_table_are_not_those_of_another(exporting: Exporting) -> None:
    table, other = exporting.table([trip(1)]), exporting.table([trip(1)])
    role = exporting.role(table, ON_THE_TABLE, ON_THE_EXPORT, ON_THE_PREFIX)
    client = exporting.cloud.client("dynamodb", role_arn=role)
    mine = exporting.start(table, client=client, S3Prefix="exports/mine")
    client.describe_export(ExportArn=mine["ExportArn"])
    assert refusal(lambda: exporting.start(other, client=client))[0] == DENIED
    others = exporting.start(other)["ExportArn"]
    assert refusal(lambda: client.describe_export(ExportArn=others))[0] == DENIED
    elsewhere = exporting.start(table, client=client, S3Prefix="elsewhere")
    assert exporting.describe(elsewhere["ExportArn"])["FailureCode"] == "S3AccessDenied"


def test_a_role_may_look_whether_recovery_is_on(exporting: Exporting) -> None:
    table, other = exporting.table([]), exporting.table([])
    role = exporting.role(table, {"dynamodb:DescribeContinuousBackups": "table/{table}"})
    client = exporting.cloud.client("dynamodb", role_arn=role)
    found = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert refusal(lambda: client.describe_continuous_backups(TableName=other))[0] == DENIED
    recovery = {"PointInTimeRecoveryEnabled": False}
    code, _ = refusal(
        lambda: client.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification=recovery
        )
    )
    assert code == DENIED
