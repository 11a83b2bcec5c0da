"""awswrangler's `read_items` into a frame, and pandas.

`python -m bench.contenders.awswrangler TABLE [--projected]`
"""

import sys
import warnings
from typing import Any

import awswrangler as wr
from boto3.dynamodb.conditions import Attr

from bench.contenders.group_by_day import figures
from bench.result_line import tell
from bench.trips import DAY, ESTIMATE, FARE


def main(table_name: str, *options: str) -> None:
    warnings.filterwarnings("ignore", message="Attempting DynamoDB Scan")  # it is meant to
    asked: dict[str, Any] = {}
    if "--projected" in options:
        asked["columns"] = [DAY, FARE, ESTIMATE]
        asked["filter_expression"] = Attr(FARE).exists() & Attr(ESTIMATE).exists()
    # One thread reads one segment, as everybody here does. More would only wait for each other.
    trips = wr.dynamodb.read_items(table_name, allow_full_scan=True, use_threads=False, **asked)
    tell(figures(trips))


if __name__ == "__main__":
    main(*sys.argv[1:])
