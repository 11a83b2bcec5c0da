"""The policies as documents: every request of a run is allowed, nothing near it is, and no grant
is for nothing.

This judges what the embedded cloud does not enforce as well: conditions, keys, the bucket's policy,
and what AWS does in a role's name. The requests are those that real runs make, over the table and
over exports.
"""

from dataclasses import replace

import pytest

from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.local.local_stack import STACK_NAME, TABLE_NAME
from tests.iam.documents import (
    MACHINE_ROLE,
    READ_EXPORTS,
    SCHEDULE_ROLE,
    TLS,
    Stack,
    recorded,
)
from tests.iam.enforced import KEYS
from tests.iam.grants import granted, without_a_condition_value
from tests.iam.policies import Document, Request, allows

ROLE_OF = {
    "PlanRunFunction": "PlanRunRole",
    "ScanSegmentFunction": "ScanSegmentRole",
    "MergePartialsFunction": "MergePartialsRole",
}
NEW = {**TLS, "s3:ObjectCreationOperation": "true", "s3:if-none-match": "*"}
ANY = {**TLS, "s3:ObjectCreationOperation": "true"}

HERE = f"{REGION}:{ACCOUNT_ID}"
TABLE = f"arn:aws:dynamodb:{HERE}:table/{TABLE_NAME}"
OTHER_TABLE = f"{TABLE}-2"
OTHER_MACHINE = f"arn:aws:states:{HERE}:stateMachine:other"
BUCKET = "arn:aws:s3:::{bucket}"
PLAN = f"{BUCKET}/staging/run=a/plan.json"
PART = f"{BUCKET}/staging/run=a/segment=00000/part-00000.parquet"
QUARANTINED = f"{BUCKET}/quarantine/run=a/segment=00000/part-00000-0f.jsonl"
KPI = f"{BUCKET}/kpis/date=2024-05-01/kpi.json"
MANIFEST = f"{BUCKET}/runs/run=a/manifest.json"
EXPORT = f"{TABLE}/export/01693685827463-2d8752fd"
EXPORTED = f"{BUCKET}/exports/run=a/AWSDynamoDB/01693685827463-2d8752fd/data/a.json.gz"

ALLOW_ALL: Document = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param({"VanishedDays": "keep"}, id="keep", marks=pytest.mark.slow),
        pytest.param({"VanishedDays": "remove", **KEYS}, id="remove-with-keys"),
    ],
)
def stack(request: pytest.FixtureRequest) -> Stack:
    return recorded(request.param)


def test_every_role_asks_for_something(stack: Stack) -> None:
    assert stack.requests.keys() == {*ROLE_OF.values(), MACHINE_ROLE, SCHEDULE_ROLE}
    assert all(stack.requests.values())


def test_every_request_of_a_run_is_allowed(stack: Stack) -> None:
    denied = [
        request
        for name, role in stack.roles.items()
        for request in stack.requests[name]
        if not stack.allows(request, role.policies)
    ]
    assert denied == []


def test_no_grant_is_for_nothing(stack: Stack) -> None:
    for_nothing = {
        str(grant)
        for name, role in stack.roles.items()
        for grant in granted(name, role.policies)
        if stack.all_allowed(name, grant.taken_from(role.policies))
    }
    assert for_nothing == set()


def test_no_value_of_a_condition_is_for_nothing(stack: Stack) -> None:
    for_nothing = {
        f"{name}-{value}"
        for name, role in stack.roles.items()
        for value, policies in without_a_condition_value(role.policies)
        if stack.all_allowed(name, policies)
    }
    assert for_nothing == set()


@pytest.mark.parametrize(
    ("role", "action", "resource", "context"),
    [
        ("PlanRunRole", "dynamodb:DescribeTable", OTHER_TABLE, TLS),
        ("PlanRunRole", "dynamodb:Scan", OTHER_TABLE, TLS),
        ("PlanRunRole", "dynamodb:PutItem", TABLE, TLS),
        ("PlanRunRole", "dynamodb:DescribeExport", EXPORT.replace(TABLE, OTHER_TABLE), TLS),
        ("PlanRunRole", "dynamodb:ExportTableToPointInTime", TABLE, TLS),
        ("PlanRunRole", "dynamodb:UpdateContinuousBackups", TABLE, TLS),
        ("PlanRunRole", "s3:PutObject", EXPORTED, NEW),
        ("PlanRunRole", "s3:DeleteObject", EXPORTED, TLS),
        ("PlanRunRole", "s3:PutObject", f"{BUCKET}/staging/run=a/export.json", ANY),
        ("PlanRunRole", "s3:PutObject", PLAN, ANY),
        ("PlanRunRole", "s3:PutObject", PART, NEW),
        ("PlanRunRole", "s3:GetObject", PART, TLS),
        ("PlanRunRole", "s3:ListBucket", BUCKET, {**TLS, "s3:prefix": "staging/run=a/"}),
        ("PlanRunRole", "s3:DeleteObject", PLAN, TLS),
        ("ScanSegmentRole", "dynamodb:Scan", OTHER_TABLE, TLS),
        ("ScanSegmentRole", "dynamodb:Scan", f"{TABLE}/index/by-day", TLS),
        ("ScanSegmentRole", "dynamodb:Query", TABLE, TLS),
        ("ScanSegmentRole", "dynamodb:PutItem", TABLE, TLS),
        ("ScanSegmentRole", "dynamodb:DescribeExport", EXPORT, TLS),
        ("ScanSegmentRole", "dynamodb:ExportTableToPointInTime", TABLE, TLS),
        ("ScanSegmentRole", "s3:PutObject", EXPORTED, NEW),
        ("ScanSegmentRole", "s3:PutObject", f"{BUCKET}/staging/run=a/export.json", NEW),
        ("ScanSegmentRole", "s3:DeleteObject", EXPORTED, TLS),
        ("ScanSegmentRole", "s3:PutObject", PART, ANY),
        ("ScanSegmentRole", "s3:PutObject", KPI, NEW),
        ("ScanSegmentRole", "s3:PutObject", MANIFEST, NEW),
        ("ScanSegmentRole", "s3:GetObject", KPI, TLS),
        ("ScanSegmentRole", "s3:GetObject", QUARANTINED, TLS),
        ("ScanSegmentRole", "s3:ListBucket", BUCKET, {**TLS, "s3:prefix": "kpis/"}),
        ("ScanSegmentRole", "s3:ListBucket", BUCKET, {**TLS, "s3:prefix": ""}),
        ("ScanSegmentRole", "s3:ListBucket", BUCKET, TLS),
        ("ScanSegmentRole", "s3:DeleteObject", PART, TLS),
        ("ScanSegmentRole", "s3:DeleteObject", QUARANTINED, TLS),
        ("MergePartialsRole", "dynamodb:Scan", TABLE, TLS),
        ("MergePartialsRole", "s3:GetObject", EXPORTED, TLS),
        ("MergePartialsRole", "s3:PutObject", EXPORTED, NEW),
        ("MergePartialsRole", "s3:PutObject", PART, NEW),
        ("MergePartialsRole", "s3:PutObject", QUARANTINED, ANY),
        ("MergePartialsRole", "s3:GetObject", QUARANTINED, TLS),
        ("MergePartialsRole", "s3:ListBucket", BUCKET, {**TLS, "s3:prefix": "quarantine/"}),
        ("MergePartialsRole", "s3:ListBucket", BUCKET, TLS),
        ("MergePartialsRole", "s3:DeleteObject", PART, TLS),
        ("MergePartialsRole", "s3:DeleteObject", MANIFEST, TLS),
        ("MergePartialsRole", "s3:DeleteObjectVersion", KPI, TLS),
        ("MergePartialsRole", "s3:PutBucketPolicy", BUCKET, TLS),
        (MACHINE_ROLE, "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:other", TLS),
        (MACHINE_ROLE, "states:StartExecution", OTHER_MACHINE, TLS),
        (MACHINE_ROLE, "states:StopExecution", f"{OTHER_MACHINE}:run-1", TLS),
        (MACHINE_ROLE, "s3:GetObject", PLAN, TLS),
        (MACHINE_ROLE, "s3:GetObject", EXPORTED, TLS),
        (MACHINE_ROLE, "s3:DeleteObject", EXPORTED, TLS),
        (MACHINE_ROLE, "s3:PutObject", f"{BUCKET}/exports/theirs/data/a.json.gz", ANY),
        (MACHINE_ROLE, "s3:PutObject", KPI, ANY),
        (MACHINE_ROLE, "s3:PutObject", PART, NEW),
        (MACHINE_ROLE, "dynamodb:ExportTableToPointInTime", OTHER_TABLE, TLS),
        (MACHINE_ROLE, "dynamodb:DescribeExport", EXPORT.replace(TABLE, OTHER_TABLE), TLS),
        (MACHINE_ROLE, "dynamodb:Scan", TABLE, TLS),
        (SCHEDULE_ROLE, "states:StartExecution", OTHER_MACHINE, TLS),
        (SCHEDULE_ROLE, "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:any", TLS),
    ],
)
def test_what_is_near_to_a_grant_is_denied(
    stack: Stack, role: str, action: str, resource: str, context: dict[str, str]
) -> None:
    assert not stack.may(role, action, resource, context)


def test_no_request_is_allowed_over_plain_http_or_of_another_bucket(stack: Stack) -> None:
    of_s3 = [
        (name, request)
        for name, requests in stack.requests.items()
        for request in requests
        if request.action.startswith("s3:") and stack.bucket in request.resource
    ]
    assert of_s3
    for name, request in of_s3:
        policies = stack.roles[name].policies
        http = {**request.context, "aws:SecureTransport": "false"}
        elsewhere = request.resource.replace(stack.bucket, f"{stack.bucket}-2")
        assert not stack.allows(replace(request, context=http), policies)
        assert not stack.allows(replace(request, resource=elsewhere), policies)


def test_only_a_stack_that_removes_vanished_days_may_delete_one(stack: Stack) -> None:
    deletes_days = any(
        request.action == "s3:DeleteObject" and "/kpis/" in request.resource
        for request in stack.requests["MergePartialsRole"]
    )
    assert stack.may("MergePartialsRole", "s3:DeleteObject", KPI) is deletes_days


@pytest.mark.parametrize("role", READ_EXPORTS)
def test_exports_in_another_bucket_are_read_only_where_the_stack_names_it(
    stack: Stack, role: str
) -> None:
    elsewhere = f"arn:aws:s3:::{KEYS['ExportBucketName']}"
    reads = any(request.resource.startswith(elsewhere) for request in stack.requests[role])
    assert stack.may(role, "s3:GetObject", f"{elsewhere}/theirs/data/a.json.gz") is reads
    assert stack.may(role, "s3:ListBucket", elsewhere) is reads
    assert not stack.may(role, "s3:PutObject", f"{elsewhere}/theirs/data/a.json.gz")
    assert not stack.may(role, "s3:DeleteObject", f"{elsewhere}/theirs/data/a.json.gz")
    assert not stack.may(role, "s3:GetObject", f"{elsewhere}-2/theirs/data/a.json.gz")


def test_keys_are_used_through_the_service_alone(stack: Stack) -> None:
    with_keys = [
        (name, request)
        for name, requests in stack.requests.items()
        for request in requests
        if request.action.startswith("kms:")
    ]
    for name, request in with_keys:
        policies = stack.roles[name].policies
        ec2 = {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}
        assert not stack.allows(replace(request, context={}), policies)
        assert not stack.allows(replace(request, context=ec2), policies)
        assert not stack.allows(replace(request, resource=f"{request.resource}-2"), policies)


@pytest.mark.parametrize(
    ("action", "key", "context", "allowed"),
    [
        ("s3:PutObject", "staging/run=a/x", NEW, True),
        ("s3:PutObject", "staging/run=a/x", ANY, False),
        ("s3:PutObject", "staging/run=a/x", {**ANY, "s3:if-match": '"e"'}, False),
        # A part of an upload, which creates no object; completing the upload does.
        ("s3:PutObject", "staging/run=a/x", {**TLS, "s3:ObjectCreationOperation": "false"}, True),
        ("s3:PutObject", "staging/run=a/x", {**NEW, "aws:SecureTransport": "false"}, False),
        ("s3:PutObject", "kpis/date=2024-05-01/kpi.json", ANY, True),
        ("s3:GetObject", "kpis/date=2024-05-01/kpi.json", TLS, True),
        ("s3:GetObject", "kpis/date=2024-05-01/kpi.json", {"aws:SecureTransport": "false"}, False),
    ],
)
def test_what_the_buckets_policy_denies_no_role_allows(
    stack: Stack, action: str, key: str, context: dict[str, str], *, allowed: bool
) -> None:
    asked = Request(
        principal="arn:aws:iam::123456789012:role/administrator",
        action=action,
        resource=f"arn:aws:s3:::{stack.bucket}/{key}",
        context=context,
    )
    assert stack.allows(asked, {"all": ALLOW_ALL}) is allowed


def test_no_function_deletes_staging_whatever_its_role_allows(stack: Stack) -> None:
    for role in ROLE_OF.values():
        asked = Request(
            principal=stack.roles[role].arn,
            action="s3:DeleteObject",
            resource=PART.format(bucket=stack.bucket),
            context=TLS,
        )
        assert not stack.allows(asked, {"all": ALLOW_ALL})


def test_a_role_is_for_its_service_alone(stack: Stack) -> None:
    services = dict.fromkeys(ROLE_OF.values(), "lambda") | {
        MACHINE_ROLE: "states",
        SCHEDULE_ROLE: "scheduler",
    }
    for name, document in stack.trust.items():
        for service in ("lambda", "states", "scheduler", "ec2"):
            asked = Request(
                principal=f"{service}.amazonaws.com",
                action="sts:AssumeRole",
                resource=stack.roles[name].arn,
                context={"aws:SourceAccount": ACCOUNT_ID},
            )
            assert allows(asked, resource=[document]) is (service == services[name])
            another = replace(asked, context={"aws:SourceAccount": "210987654321"})
            # Lambda assumes a function's role for that function; the others say for whom they act.
            if service != "lambda":
                assert not allows(another, resource=[document])


def test_only_rules_and_the_stacks_own_alarms_reach_the_topic(stack: Stack) -> None:
    def tells(service: str, source: str, account: str = ACCOUNT_ID, tls: str = "true") -> bool:
        asked = Request(
            principal=f"{service}.amazonaws.com",
            action="sns:Publish",
            resource=stack.topic,
            context={
                "aws:SourceArn": source,
                "aws:SourceAccount": account,
                "aws:SecureTransport": tls,
            },
        )
        return allows(asked, resource=[stack.topic_policy])

    assert len(stack.rules) == 2
    alarm = f"arn:aws:cloudwatch:{HERE}:alarm:{STACK_NAME}-run-failed"
    for rule in stack.rules:
        assert tells("events", rule)
        assert not tells("events", rule, tls="false")
    assert tells("cloudwatch", alarm)
    assert not tells("cloudwatch", alarm, account="210987654321")
    assert not tells("cloudwatch", alarm.replace(STACK_NAME, "other"))
    assert not tells("s3", alarm)
