"""What a role that may list only a part of the bucket reads, and archived objects."""

from typing import Any

import pytest
from botocore.stub import Stubber

from tests.unit.aws.test_clients import client_of
from trip_kpis.aws.bucket import Bucket
from trip_kpis.core.errors import AccessDeniedError

KEY = "kpis/date=2024-05-25/kpi.json"
READERS = {"get": ("get_object", "AccessDenied"), "head": ("head_object", "403")}
"""the operation, and what S3 answers for a key that it does not say is absent"""
LISTED = {"IsTruncated": False, "Contents": [{"Key": KEY}]}


@pytest.mark.parametrize("method", READERS)
@pytest.mark.parametrize(
    ("listed", "is_absent"), [({"IsTruncated": False}, True), (LISTED, False), (None, False)]
)
def test_access_denied_means_absent_only_where_the_listing_says_so(
    method: str, listed: dict[str, Any] | None, is_absent: bool
) -> None:
    client = client_of("s3")
    operation, code = READERS[method]
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, code, "denied", http_status_code=403)
        if listed is None:
            stubber.add_client_error("list_objects_v2", "AccessDenied", "no", http_status_code=403)
        else:
            stubber.add_response("list_objects_v2", listed)
        read = getattr(Bucket(client, "b"), method)
        if is_absent:
            assert read(KEY) is None
        else:
            with pytest.raises(AccessDeniedError, match=r"s3:GetObject on s3://b/kpis"):
                read(KEY)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("of_s3", "is_archived"),
    [
        ({}, False),
        ({"StorageClass": "GLACIER"}, True),
        ({"StorageClass": "GLACIER_IR"}, False),
        ({"StorageClass": "DEEP_ARCHIVE", "Restore": 'ongoing-request="true"'}, True),
        ({"StorageClass": "DEEP_ARCHIVE", "Restore": 'ongoing-request="false", expiry'}, False),
        ({"StorageClass": "INTELLIGENT_TIERING"}, False),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, True),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "DEEP_ARCHIVE_ACCESS"}, True),
    ],
)
def test_an_object_is_archived_whose_body_cannot_be_read(
    of_s3: dict[str, Any], is_archived: bool
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html"""
    client = client_of("s3")
    with Stubber(client) as stubber:
        stubber.add_response("head_object", {"ETag": '"e"', "Metadata": {}, **of_s3})
        head = Bucket(client, "b").head(KEY)
    assert head is not None
    assert head.is_archived is is_archived
