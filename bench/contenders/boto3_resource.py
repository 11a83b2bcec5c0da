"""A single Lambda: boto3's Table resource, every item in a list, pandas.

`python -m bench.contenders.boto3_resource TABLE [--projected]`
"""

import sys
from typing import Any

import boto3
import pandas as pd
from boto3.dynamodb.conditions import Attr

from bench.contenders.group_by_day import figures
from bench.result_line import tell
from bench.trips import DAY, ESTIMATE, FARE


def main(table_name: str, *options: str) -> None:
    table = boto3.resource("dynamodb").Table(table_name)
    asked: dict[str, Any] = {}
    if "--projected" in options:
        asked["ProjectionExpression"] = f"{DAY}, {FARE}, {ESTIMATE}"
        asked["FilterExpression"] = Attr(FARE).exists() & Attr(ESTIMATE).exists()
    answer = table.scan(**asked)
    items = answer["Items"]
    while "LastEvaluatedKey" in answer:
        answer = table.scan(**asked, ExclusiveStartKey=answer["LastEvaluatedKey"])
        items += answer["Items"]
    tell(figures(pd.DataFrame(items, columns=[DAY, FARE, ESTIMATE])))


if __name__ == "__main__":
    main(*sys.argv[1:])
