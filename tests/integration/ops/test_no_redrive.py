"""`ops serve` says of RedriveExecution that there is none here, and what to do instead."""

import pytest
from botocore.exceptions import ClientError

from ops.embedded.cloud import EmbeddedCloud
from ops.local.no_redrive import redrive_refused


def test_redrive_is_refused_with_the_way_that_there_is() -> None:
    with EmbeddedCloud(middleware=redrive_refused) as cloud:
        client = cloud.client("stepfunctions")
        arn = "arn:aws:states:us-east-1:123456789012:execution:trip-kpis:run-1"
        with pytest.raises(ClientError, match=r"has no RedriveExecution.*new execution") as error:
            client.redrive_execution(executionArn=arn)
        assert error.value.response["Error"]["Code"] == "UnsupportedOperationException"
        assert client.list_state_machines()["stateMachines"] == []
