"""The bucket that the stack makes, and that it makes none where there is one."""

from typing import Any

import pytest

from tests.unit.stack.resolved import Stack, stack

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
    } == {"staging/": 40, "quarantine/": 7, "athena/": 7}
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
    roles = {function["Role"] for function in stack().of_type("AWS::Lambda::Function").values()}
    assert set(delete["Principal"]["AWS"]) == roles
    assert len(roles) == 3


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


def test_an_existing_bucket_is_used_and_left_as_it_is() -> None:
    of = stack(BucketName="our-lake")
    assert not of.of_type("AWS::S3::Bucket")
    assert not of.of_type("AWS::S3::BucketPolicy")
    assert "ResultsBucket" not in repr(of.resources)
    for function in of.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["ATHENA_BUCKET_NAME"] == "our-lake"
    written = of.statements("ScanSegmentRole")["ReadThePlanAndAppendToTheLog"]
    assert written["Resource"] == "arn:aws:s3:::our-lake/staging/run=*"
