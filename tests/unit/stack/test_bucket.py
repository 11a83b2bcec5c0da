"""The bucket that the stack makes, and that it makes none where there is one."""

import json
from typing import Any

import pytest

from tests.iam.policies import Request, applies
from tests.unit.stack.resolved import ROOT, Stack, stack

MACHINE = json.loads((ROOT / "statemachine" / "trip_kpis.asl.json").read_text(encoding="utf-8"))
DAY = "kpis/date=2024-05-25/kpi.json"

KEY = "arn:aws:kms:eu-central-1:123456789012:key/of-the-bucket"


def encryption(of: Stack) -> Any:
    (rule,) = of["ResultsBucket"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    return rule


def test_it_is_private_and_outlives_the_stack_together_with_its_policy() -> None:
    of = stack()
    for name in ("ResultsBucket", "ResultsBucketPolicy"):
        resource = of.resources[name]
        # A first deployment that is rolled back leaves nothing.
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"
    assert of["ResultsBucket"]["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    ownership = of["ResultsBucket"]["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_it_is_encrypted_by_s3_unless_a_key_is_given() -> None:
    assert encryption(stack()) == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert encryption(stack(BucketKmsKeyArn=KEY)) == {
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
        "BucketKeyEnabled": True,
    }


def test_only_the_intermediate_expires_and_versions_do_not_pile_up() -> None:
    of = stack(StagingExpirationDays="40", QuarantineExpirationDays="7")
    bucket = of["ResultsBucket"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert {rule["Status"] for rule in rules.values()} == {"Enabled"}
    assert {
        rule["Prefix"]: int(rule["ExpirationInDays"])
        for rule in rules.values()
        if "ExpirationInDays" in rule
    } == {"staging/": 40, "exports/run=": 40, "quarantine/": 7, "athena/": 7}
    # An expired object of a bucket with versions is gone only with its last version.
    assert all(
        "NoncurrentVersionExpiration" in rule
        for rule in rules.values()
        if "ExpirationInDays" in rule
    )
    everywhere = rules["ForgetEarlierVersions"]
    assert "Prefix" not in everywhere
    assert everywhere["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert everywhere["ExpiredObjectDeleteMarker"] is True
    assert rules["AbortUnfinishedUploads"]["AbortIncompleteMultipartUpload"] == {
        "DaysAfterInitiation": 1
    }


def test_its_policy_only_denies() -> None:
    statements = stack(BucketKmsKeyArn=KEY).statements("ResultsBucketPolicy")
    assert {one["Effect"] for one in statements.values()} == {"Deny"}


def test_it_is_spoken_to_by_tls_alone() -> None:
    statement = stack().statements("ResultsBucketPolicy")["OnlyOverTls"]
    assert (statement["Action"], statement["Principal"]) == ("s3:*", "*")
    assert statement["Resource"] == ["arn:aws:s3:::ResultsBucket", "arn:aws:s3:::ResultsBucket/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_staging_is_append_only() -> None:
    statements = stack().statements("ResultsBucketPolicy")
    staging = "arn:aws:s3:::ResultsBucket/staging/*"
    write = statements["StagingIsAppendOnly"]
    assert (write["Action"], write["Resource"]) == ("s3:PutObject", staging)
    assert write["Condition"]["Null"] == {"s3:if-none-match": "true"}
    delete = statements["NoFunctionDeletesStaging"]
    assert delete["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert delete["Resource"] == staging
    # A role's ARN as a principal becomes a dead id when the stack that made the role is deleted.
    assert delete["Principal"] == "*"
    (pattern,) = delete["Condition"]["ArnLike"].values()
    assert pattern == "arn:aws:iam::123456789012:role/trip-kpis/*"
    functions = stack().of_type("AWS::Lambda::Function").values()
    roles = {function["Role"].removesuffix(".Arn") for function in functions}
    assert {stack()[role]["Path"] for role in roles} == {"/trip-kpis/"}
    assert len(roles) == 3


def test_the_lease_is_taken_by_a_condition_alone() -> None:
    statement = stack().statements("ResultsBucketPolicy")["LeaseIsTakenByCondition"]
    assert statement["Action"] == "s3:PutObject"
    assert statement["Resource"] == "arn:aws:s3:::ResultsBucket/lease/*"
    assert statement["Condition"]["Null"] == {"s3:if-none-match": "true", "s3:if-match": "true"}


@pytest.mark.parametrize(
    ("sid", "header", "only"),
    [
        ("OnlyWithAKey", "s3:x-amz-server-side-encryption", "aws:kms"),
        ("OnlyWithTheBucketsKey", "s3:x-amz-server-side-encryption-aws-kms-key-id", KEY),
    ],
)
def test_a_bucket_with_a_key_refuses_a_write_that_names_another(
    sid: str, header: str, only: str
) -> None:
    statement = stack(BucketKmsKeyArn=KEY).statements("ResultsBucketPolicy")[sid]
    assert statement["Condition"] == {
        # Without the header the bucket's own encryption applies.
        "Null": {header: "false"},
        "StringNotEquals": {header: only},
    }
    assert sid not in stack().statements("ResultsBucketPolicy")


def denied(of: Stack, key: str = DAY, **headers: str) -> list[str]:
    """The statements that deny a write of the object with these headers."""
    request = Request(
        principal="anybody",
        action="s3:PutObject",
        resource=f"arn:aws:s3:::ResultsBucket/{key}",
        context={f"s3:x-amz-server-side-encryption{name}": text for name, text in headers.items()}
        | {"aws:SecureTransport": "true"},
    )
    return [
        sid for sid, one in of.statements("ResultsBucketPolicy").items() if applies(one, request)
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"": "AES256"},
        {"": "aws:kms:dsse", "-aws-kms-key-id": KEY},
        {"": "aws:kms"},
        {"": "aws:kms", "-aws-kms-key-id": KEY + "-another"},
        {"-customer-algorithm": "AES256"},
    ],
)
def test_a_bucket_with_a_key_refuses_every_other_kind_of_encryption(
    headers: dict[str, str],
) -> None:
    assert denied(stack(BucketKmsKeyArn=KEY), **headers) != []


@pytest.mark.parametrize("headers", [{"": "aws:kms", "-aws-kms-key-id": KEY}, {}])
def test_a_bucket_with_a_key_takes_its_own_encryption(headers: dict[str, str]) -> None:
    """Said as the functions do, or left to the bucket's default."""
    assert denied(stack(BucketKmsKeyArn=KEY), **headers) == []


def test_a_bucket_without_a_key_takes_what_the_functions_say() -> None:
    assert denied(stack(), **{"": "AES256"}) == []


@pytest.mark.parametrize(
    ("state", "parameters"),
    [("StartExport", {}), ("StartExportWithKey", {"BucketKmsKeyArn": KEY})],
)
def test_it_takes_an_export_that_is_encrypted_as_the_state_machine_asks(
    state: str, parameters: dict[str, str]
) -> None:
    asked = MACHINE["States"][state]["Parameters"]
    headers = {"": {"AES256": "AES256", "KMS": "aws:kms"}[asked["S3SseAlgorithm"]]}
    if "S3SseKmsKeyId.$" in asked:
        headers["-aws-kms-key-id"] = KEY
    key = "exports/run=a/AWSDynamoDB/01693685827463-2d8752fd/data/a.json.gz"
    assert denied(stack(**parameters), key, **headers) == []


def test_a_bucket_with_a_key_refuses_an_export_without_it() -> None:
    assert denied(stack(BucketKmsKeyArn=KEY), "exports/run=a/x", **{"": "AES256"}) != []


def test_an_existing_bucket_is_used_and_left_as_it_is() -> None:
    of = stack(BucketName="our-lake")
    assert not of.of_type("AWS::S3::Bucket")
    assert not of.of_type("AWS::S3::BucketPolicy")
    assert "ResultsBucket" not in repr(of.resources)
    for function in of.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["ATHENA_BUCKET_NAME"] == "our-lake"
    written = of.statements("ScanSegmentRole")["AppendToTheLog"]
    assert written["Resource"] == "arn:aws:s3:::our-lake/staging/run=*/segment=*"
