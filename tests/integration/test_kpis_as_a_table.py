"""docs/readers.md: each recipe reads every digit of what a run publishes."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from tests.integration.pipeline import Pipeline
from tests.samples import trip

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "readers.md").read_text(encoding="utf-8")
RECIPES: dict[str, str] = dict(
    re.findall(r"^## (\w+)\n[^#]*?```python\n(.*?)```", PAGE, flags=re.DOTALL | re.MULTILINE)
)
"""by the name of the reader"""
FARES = ("total_fare", "average_fare", "max_fare", "min_fare")

Row = dict[str, Any]


@pytest.fixture
def published(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, bytes]:
    """What a run publishes, as a copy of the bucket in `out`, which the recipes read."""
    pipeline.make_table(
        [
            trip("a", fare_amount={"S": "274393.882557248321890001"}),
            trip("b", fare_amount={"S": "-3"}),
            trip("c", pickup_datetime={"S": "2024-05-26"}, fare_amount={"S": "7"}),
            trip("d", pickup_datetime={"S": "2024-05-27"}, fare_amount={"S": "999999999.1"}),
            trip("e", pickup_datetime={"S": "2024-05-27"}, fare_amount={"N": "1E-18"}),
        ]
    )
    pipeline.run(total_segments=2)
    objects = pipeline.objects("kpis/")
    for key, body in objects.items():
        path = tmp_path / "out" / key
        path.parent.mkdir(parents=True)
        path.write_bytes(body)
    monkeypatch.chdir(tmp_path)
    return objects


def expected(published: dict[str, bytes]) -> list[Row]:
    """The lines as Python's own decimals."""
    lines = (json.loads(body, parse_float=Decimal) for _, body in sorted(published.items()))
    return [
        {
            "date": date.fromisoformat(line["date"]),
            "trip_count": line["trip_count"],
            **{name: Decimal(line[name]) for name in FARES},
        }
        for line in lines
    ]


def rows_of_relation(days: duckdb.DuckDBPyRelation) -> Iterable[Row]:
    assert set(map(str, days.types[2:])) == {"DECIMAL(38,18)"}
    return (dict(zip(days.columns, row, strict=True)) for row in days.fetchall())


def rows_of_pandas(days: pd.DataFrame) -> Iterable[Row]:
    decimals = pd.ArrowDtype(pa.decimal128(38, 18))
    assert [days[name].dtype for name in FARES] == [decimals] * 4
    return days.to_dict("records")


def rows_of_polars(days: pl.DataFrame) -> Iterable[Row]:
    assert [days.schema[name] for name in FARES] == [pl.Decimal(38, 18)] * 4
    return days.rows(named=True)


def rows_of_arrow(days: pa.Table) -> Iterable[Row]:
    assert [days.schema.field(name).type for name in FARES] == [pa.decimal128(38, 18)] * 4
    rows: list[Row] = days.to_pylist()
    return rows


READERS: dict[str, Callable[[Any], Iterable[Row]]] = {
    "DuckDB": rows_of_relation,
    "pandas": rows_of_pandas,
    "polars": rows_of_polars,
    "pyarrow": rows_of_arrow,
}


def test_there_is_one_recipe_for_each_reader() -> None:
    assert RECIPES.keys() == READERS.keys()
    assert PAGE.count("```python") == len(RECIPES)


@pytest.mark.parametrize("reader", READERS)
def test_a_recipe_reads_every_digit(published: dict[str, bytes], reader: str) -> None:
    found: dict[str, Any] = {}
    exec(compile(RECIPES[reader], f"docs/readers.md: {reader}", "exec"), found)
    rows = sorted(READERS[reader](found["days"]), key=lambda row: str(row["date"]))
    of_days = [{**row, "date": date.fromisoformat(str(row["date"])[:10])} for row in rows]
    assert of_days == expected(published)


def test_the_figures_are_longer_than_a_double(published: dict[str, bytes]) -> None:
    """Otherwise the recipes would pass with any reader."""
    totals = [row["total_fare"] for row in expected(published)]
    assert [Decimal(float(total)) == total for total in totals] == [False, True, False]
    as_doubles = json.loads(published["kpis/date=2024-05-27/kpi.json"])
    assert Decimal(str(as_doubles["total_fare"])) != totals[2]


def test_a_dataset_that_finds_out_its_own_schema_fails_as_the_page_says(
    published: dict[str, bytes],
) -> None:
    with pytest.raises(pa.ArrowTypeError, match="Unable to merge"):
        ds.dataset("out/kpis", format="json", partitioning="hive")
    assert "`Unable to merge`" in PAGE


def test_polars_own_json_reader_refuses_decimals_as_the_page_says(
    published: dict[str, bytes],
) -> None:
    schema = {"total_fare": pl.Decimal(38, 18)}
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_ndjson("out/kpis/date=2024-05-25/kpi.json", schema=schema)
