"""docs/athena.md: the published objects are a partitioned table to a SQL engine that reads JSON."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.integration.pipeline import Pipeline
from tests.samples import trip

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "athena.md").read_text(encoding="utf-8")
AS_JSON, AS_TEXT = re.findall(r'duckdb\.sql\(r?"""\n(.*?)"""\)', PAGE, flags=re.DOTALL)
"""the page's two queries, over what a run has left in `out`"""


def over(folder: Path, query: str) -> str:
    here = query.replace("'out/", f"'{folder}/")
    assert here != query
    return here


@pytest.fixture
def folder(pipeline: Pipeline, tmp_path: Path) -> Path:
    """What a run publishes, as a copy of the bucket."""
    pipeline.make_table(
        [
            trip("a", fare_amount={"S": "274393.88255724832189"}),
            trip("b", fare_amount={"S": "-3"}),
            trip("c", pickup_datetime={"S": "2024-05-26"}, fare_amount={"S": "7"}),
            trip("d", pickup_datetime={"S": "2024-05-24"}),
        ]
    )
    pipeline.run(total_segments=2)
    for key, body in pipeline.objects("kpis/").items():
        path = tmp_path / key
        path.parent.mkdir(parents=True)
        path.write_bytes(body)
    return tmp_path


def test_days_are_partitions_and_money_is_right_to_the_cent(folder: Path) -> None:
    rows = duckdb.execute(over(folder, AS_JSON)).fetchall()
    assert rows == [
        (
            date(2024, 5, 25),
            2,
            Decimal("274390.88"),
            Decimal("137195.44"),
            Decimal("274393.88"),
            Decimal("-3.00"),
        ),
        (date(2024, 5, 26), 1, *[Decimal("7.00")] * 4),
    ]


def test_every_digit_is_read_from_the_text_because_json_readers_go_through_doubles(
    folder: Path,
) -> None:
    rows = duckdb.execute(over(folder, AS_TEXT)).fetchall()
    assert rows == [
        (date(2024, 5, 24), Decimal("12.5")),
        (date(2024, 5, 25), Decimal("274390.88255724832189")),
        (date(2024, 5, 26), Decimal(7)),
    ]
