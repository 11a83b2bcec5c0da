"""Leaves the answers to Scan undecoded.

botocore decodes an answer generically, value by value, in Python: nine tenths of what a scan costs.
Only that is taken from it here. End points, credentials, signing, retries, throttling, the check of
the CRC32, errors and their classes stay botocore's.
"""

from collections.abc import Mapping
from typing import Any

from botocore.parsers import ResponseParserFactory


class UndecodedScans(ResponseParserFactory):  # type: ignore[misc]
    """A component for a botocore session: leaves the answer to a Scan as `{"Body": bytes}`."""

    def create_parser(self, protocol_name: str) -> Any:
        return _ScanParser(super().create_parser(protocol_name))


class _ScanParser:
    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        if shape is None or shape.name != "ScanOutput" or response["status_code"] != 200:
            return self._whole.parse(response, shape)
        headers = {name.lower(): value for name, value in response["headers"].items()}
        return {
            "Body": response["body"],
            "ResponseMetadata": {
                "RequestId": headers.get("x-amzn-requestid", ""),
                "HTTPStatusCode": response["status_code"],
                "HTTPHeaders": headers,
            },
        }
