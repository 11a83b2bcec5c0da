"""A table or bucket that is not there shows as the execution's error and cause."""

import json

import pytest

from ops.local.local_stack import Where
from ops.local.run import execute
from tests.stacks import stack_of


@pytest.mark.parametrize(
    ("parameters", "gone", "error", "named"),
    [
        ({"TableName": "elsewhere"}, "", "TableNotFoundError", "the table elsewhere is not there"),
        ({"BucketName": "results"}, "results", "BucketNotFoundError", "s3://results/"),
    ],
)
def test_a_table_or_bucket_that_is_not_there_is_the_executions_error(
    parameters: dict[str, str], gone: str, error: str, named: str
) -> None:
    with stack_of(where=Where(), **parameters) as up:
        if gone:
            up.cloud.client("s3").delete_bucket(Bucket=gone)
        outcome = execute(up, {}, name="gone")
    assert outcome.error == error
    assert named in json.loads(outcome.cause or "")["errorMessage"]
