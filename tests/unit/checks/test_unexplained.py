"""A finding that nobody explained fails, and so does an explanation of nothing."""

import pytest

from checks.unexplained import EXPLAINED, explained, faults, found

REPORT = {
    "summary": {"passed": 3},
    "results": {
        "failed_checks": [
            {"check_id": "CKV_AWS_18", "resource": "AWS::S3::Bucket.ResultsBucket"},
            {"check_id": "CKV_AWS_18", "resource": "AWS::S3::Bucket.AnotherBucket"},
        ]
    },
}


def test_what_is_found_is_a_check_on_a_kind_of_resource() -> None:
    assert found(REPORT) == found([REPORT]) == {("CKV_AWS_18", "AWS::S3::Bucket")}


def test_a_report_of_nothing_is_no_clean_report() -> None:
    # What checkov prints when it was given no file that it knows.
    with pytest.raises(ValueError, match="nothing"):
        found({"passed": 0, "failed": 0, "checkov_version": "3"})


def test_what_is_found_and_what_is_explained_must_be_the_same() -> None:
    known, other = ("CKV_AWS_18", "AWS::S3::Bucket"), ("CKV_AWS_26", "AWS::SNS::Topic")
    assert faults({known}, {known}) == []
    assert faults({known, other}, {known}) == ["CKV_AWS_26 fails on AWS::SNS::Topic, unexplained"]
    assert faults({known}, {known, other}) == [
        "CKV_AWS_26 is explained for AWS::SNS::Topic, and fails there no more"
    ]


def test_an_explanation_has_a_reason() -> None:
    with pytest.raises(ValueError, match="CKV_AWS_18"):
        explained('[CKV_AWS_18]\non = ["AWS::S3::Bucket"]\nwhy = " "')
    assert ("CKV_AWS_18", "AWS::S3::Bucket") in explained(EXPLAINED.read_text(encoding="utf-8"))
