"""The functions in this process: their environment, and their own clients without a network."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.retries import quota

from trip_kpis.aws import clients
from trip_kpis.aws.logs import logger

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "DYNAMODB_TABLE_NAME": "trips",
    "ATHENA_BUCKET_NAME": "trip-kpis",
    "FARE_ATTRIBUTE": "fare_amount",
    "ESTIMATED_FARE_ATTRIBUTE": "estimated_fare_amount",
    "DAY_ATTRIBUTE": "pickup_datetime",
    "TIME_ZONE": "UTC",
    "TIME_FORMATS": "",
    "EARLIEST_DAY": "2000-01-01",
    "READ_UNITS_PER_SECOND": "0",
    "CONSISTENT_READ": "false",
    "CHECKPOINT_SECONDS": "60",
    "MAX_REJECTED_SHARE": "1",
    "SHRUNK_DAYS": "publish",
    "OPEN_DAYS": "publish",
    "SCAN_MEMORY": "512",
    "MERGE_MEMORY": "1769",
}


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """The functions' environment, with these settings; their logs keep quiet."""
    level = logger.level
    logger.setLevel("CRITICAL")
    try:
        with patch.dict(os.environ, {**_ENVIRONMENT, **settings}):
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def clients_answered_by(answer: Callable[..., Any]) -> Iterator[None]:
    """The functions' clients, with `answer` for a network and nothing spent of their retries."""
    made, quotas = _clients_of_this_process()
    for one in quotas:
        one.release(quota.RetryQuota.INITIAL_CAPACITY)
    for client in made:
        client.meta.events.register("before-send", answer)
    try:
        yield
    finally:
        for client in made:
            client.meta.events.unregister("before-send", answer)


_made: tuple[list[Any], list[quota.RetryQuota]] = [], []


def _clients_of_this_process() -> tuple[list[Any], list[quota.RetryQuota]]:
    """The functions' own clients and what they may spend on retries, made once: making them takes
    the time of several schedules."""
    global _made
    if [clients.dynamodb(), clients.s3(), clients.lambda_()] != _made[0]:
        quotas: list[quota.RetryQuota] = []

        class Quota(quota.RetryQuota):
            def __init__(self) -> None:
                super().__init__()
                quotas.append(self)

        clients.dynamodb.cache_clear()
        clients.s3.cache_clear()
        clients.lambda_.cache_clear()
        with patch.object(quota, "RetryQuota", Quota):
            _made = [clients.dynamodb(), clients.s3(), clients.lambda_()], quotas
    return _made
