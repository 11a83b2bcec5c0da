"""Runs functions behind another Lambda endpoint, such as `sam local start-lambda`."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ops.embedded.errors import LambdaEndpointError
from ops.embedded.isolation import DUMMY_CREDENTIALS, REGION
from ops.embedded.lambda_invocation import Invocation, InvocationOutcome, exited, timed_out

# Starting a container, perhaps building its image, is not in the function's own time limit.
_START_SECONDS = 300


class LambdaEndpoint:
    """An Invoker that calls the Lambda API at `url`, with a function's logical id as its name.

    `sam local` answers a handler's exception with status 200 and without the header that says so:
    there the payload shows it by its errorType and errorMessage. A function that it killed
    gives no payload. Raises LambdaEndpointError if nothing answers at `url`.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        config = Config(
            proxies={},
            connect_timeout=10,
            read_timeout=900 + _START_SECONDS,
            max_pool_connections=100,
            retries={"total_max_attempts": 1},
        )
        try:
            self._client = boto3.Session(
                aws_access_key_id=DUMMY_CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=DUMMY_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
                region_name=REGION,
            ).client("lambda", endpoint_url=self._url, config=config)
            # Any answer will do, and this one runs nothing.
            self._client.get_function_configuration(FunctionName="IsAnyoneThere")
        except ClientError:
            pass
        except (BotoCoreError, ValueError) as error:
            raise self._unusable(error) from error

    def invoke(self, invocation: Invocation) -> InvocationOutcome:
        began = time.monotonic()
        try:
            response = self._client.invoke(
                FunctionName=invocation.function.logical_id, Payload=invocation.payload
            )
            payload = response["Payload"].read()
        except ClientError as error:
            raise LambdaEndpointError(
                f"The Lambda endpoint {self._url} does not run "
                f"{invocation.function.logical_id}: {error}. Check that it runs with this template."
            ) from error
        except BotoCoreError as error:
            raise self._unusable(error) from error
        duration_ms = (time.monotonic() - began) * 1000
        failed = bool(response.get("FunctionError")) or _describes_an_error(payload)
        if not payload.strip():
            failed = True
            in_time = duration_ms < invocation.function.timeout_seconds * 1000
            reason = "without providing a reason"
            payload = exited(invocation, reason) if in_time else timed_out(invocation)
        return InvocationOutcome(
            payload=payload,
            failed=failed,
            duration_ms=duration_ms,
            billed_ms=math.ceil(duration_ms),
        )

    def close(self) -> None:
        self._client.close()

    def _unusable(self, error: Exception) -> LambdaEndpointError:
        return LambdaEndpointError(
            f"The Lambda endpoint {self._url} cannot be used: {error}. "
            "Start it (`sam local start-lambda` listens on http://127.0.0.1:3001), "
            "or leave the endpoint out."
        )


def _describes_an_error(payload: bytes) -> bool:
    try:
        answer: Any = json.loads(payload)
    except ValueError:
        return False
    return isinstance(answer, dict) and {"errorType", "errorMessage"} <= answer.keys()
