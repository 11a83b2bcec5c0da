"""Runs each of this project's functions in a separate process, with a server of the bench."""

import json
import re
from datetime import date
from typing import Any
from urllib.request import ProxyHandler, build_opener

from bench import measured
from bench.known import KnownDays
from bench.measured import Measured
from trip_kpis.core.layout import day_key
from trip_kpis.core.settings import default_environment

_open = build_opener(ProxyHandler({})).open  # a proxy must not see what goes to this machine
_ENVIRONMENT = {
    **default_environment(),
    "TOTAL_SEGMENTS": "1",
    "MAX_CONCURRENCY": "1",
    "STACK_NAME": "bench",
}


def invoke(
    name: str,
    payload: dict[str, Any],
    *,
    endpoint_url: str,
    table: str,
    bucket: str,
    **environment: str,
) -> Measured:
    """Calls the handler in `functions/<name>.py` until it is finished."""
    return measured.run(
        "bench.invoke",
        name,
        json.dumps(payload),
        endpoint_url=endpoint_url,
        environment={
            **_ENVIRONMENT,
            "DYNAMODB_TABLE_NAME": table,
            "ATHENA_BUCKET_NAME": bucket,
            **environment,
        },
    )


def check_published(endpoint_url: str, bucket: str, known: KnownDays) -> None:
    """Raises RuntimeError unless the bucket contains exactly these days' figures, byte for byte."""
    with _open(f"{endpoint_url}/{bucket}?list-type=2&prefix=kpis/") as listing:
        keys = set(re.findall("<Key>(.*?)</Key>", listing.read().decode()))
    wanted = {day_key(date.fromisoformat(day)): known[day].kpi_json(day) for day in known}
    if keys != wanted.keys():
        raise RuntimeError(f"published: {sorted(keys)}, known: {sorted(wanted)}")
    for key, body in wanted.items():
        with _open(f"{endpoint_url}/{bucket}/{key}") as published:
            if (found := published.read()) != body:
                raise RuntimeError(f"{key} is {found!r}, and must be {body!r}")
