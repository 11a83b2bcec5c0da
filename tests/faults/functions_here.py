"""The functions in this process: their environment, and their own clients without a network."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.retries import quota

from tests.function_environment import ENVIRONMENT
from trip_kpis.aws import clients
from trip_kpis.aws.logs import logger


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """The functions' environment, with these settings; their logs keep quiet."""
    level = logger.level
    logger.setLevel("CRITICAL")
    try:
        with patch.dict(os.environ, {**ENVIRONMENT, "MAX_REJECTED_SHARE": "1", **settings}):
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
