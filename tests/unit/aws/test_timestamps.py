"""Timestamps are the moments that botocore reads, whichever of its ways they are written in."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.aws import clients, timestamps


@pytest.mark.parametrize(
    "written",
    [
        "2025-01-01T02:20:00.000Z",  # a listing
        "2025-01-01T02:20:00Z",
        "2025-01-01T02:20:00.123456+05:30",
        "Wed, 01 Jan 2025 02:20:00 GMT",  # a header
        "20250101T022000Z",
        "2025-01-01T02:20:00",  # without a zone, which botocore takes for UTC or its own
        "1735698000",
        1735698000,
        1735698000.5,
    ],
)
def test_a_moment_is_the_one_that_botocore_reads(written: str | float) -> None:
    assert timestamps.parse(written) == parse_timestamp(written)


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - S3 adds the Z
def test_a_listings_moments_are_utc_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    read = timestamps.parse(moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    assert read == moment
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize("written", ["", "yesterday", "2025-13-01T00:00:00Z"])
def test_what_is_no_moment_is_botocores_to_refuse(written: str) -> None:
    with pytest.raises(ValueError, match=r"[Ii]nvalid|parse"):
        timestamps.parse(written)


def test_the_s3_client_reads_timestamps_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clients.s3.cache_clear()
    try:
        made = clients.s3()._endpoint._response_parser_factory.create_parser("rest-xml")
    finally:
        clients.s3.cache_clear()
    assert made._timestamp_parser is timestamps.parse
