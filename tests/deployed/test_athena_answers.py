"""Athena's answers as its API has them, by botocore's own model of it: no emulator reads tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import boto3
import duckdb
import pytest
from botocore.exceptions import WaiterError
from botocore.stub import Stubber

from tests.deployed.athena import (
    DAYS,
    DAYS_OF_RUN,
    Athena,
    differing,
    published_figures,
)
from tests.deployed.waiting import Patience
from tests.unit.stack.a_run import DAY, a_run
from trip_kpis.core.run.manifest import manifest

QUERY = "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f"
NAMES = ("date", "trip_count", "total_fare", "average_fare", "max_fare", "min_fare")


@contextmanager
def answered(*states: str, rows: list[tuple[str | None, ...]]) -> Iterator[Athena]:
    """Athena that answers with these states of the query, then with the rows, two to a page."""
    client = boto3.client(
        "athena",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stubbed:
        stubbed.add_response(
            "start_query_execution",
            {"QueryExecutionId": QUERY},
            {
                "QueryString": DAYS,
                "WorkGroup": "trip-kpis",
                "QueryExecutionContext": {"Database": "trip_kpis"},
            },
        )
        for state in states:
            described = {"QueryExecutionId": QUERY, "Status": {"State": state}}
            asked = {"QueryExecutionId": QUERY}
            stubbed.add_response("get_query_execution", {"QueryExecution": described}, asked)
        pages = [rows[begin : begin + 2] for begin in range(0, len(rows), 2)]
        for number, page in enumerate(pages):
            answer = {
                "ResultSet": {
                    "Rows": [
                        {"Data": [{"VarCharValue": cell} if cell else {} for cell in row]}
                        for row in page
                    ]
                },
                **({"NextToken": f"{number + 1}"} if number + 1 < len(pages) else {}),
            }
            asked = {"QueryExecutionId": QUERY, **({"NextToken": f"{number}"} if number else {})}
            stubbed.add_response("get_query_results", answer, asked)
        yield Athena(
            client=client,
            workgroup="trip-kpis",
            database="trip_kpis",
            patience=Patience(delay_seconds=0, attempts=3),
        )
        stubbed.assert_no_pending_responses()
    client.close()


def test_every_row_of_every_page_is_read_but_the_columns_names() -> None:
    rows = [
        NAMES,
        ("2024-05-25", "2", "0.000000000000000001", "1", "2", "3"),
        ("2024-05-26", "1", None, "1", "2", "3"),
    ]
    with answered("QUEUED", "RUNNING", "SUCCEEDED", rows=rows) as athena:
        assert athena.figures(DAYS) == {
            "2024-05-25": (Decimal(2), Decimal("1E-18"), Decimal(1), Decimal(2), Decimal(3)),
            "2024-05-26": (Decimal(1), None, Decimal(1), Decimal(2), Decimal(3)),
        }


def test_a_query_that_fails_is_not_waited_for() -> None:
    with (
        answered("RUNNING", "FAILED", rows=[]) as athena,
        pytest.raises(WaiterError, match="terminal failure"),
    ):
        athena.figures(DAYS)


def test_a_null_a_rounded_figure_and_a_day_too_many_or_too_few_are_differences() -> None:
    of_day = (Decimal(1), Decimal("0.1"))
    published = {"2024-05-25": of_day, "2024-05-26": of_day, "2024-05-27": of_day}
    assert differing(published, published) == []
    read = {
        "2024-05-25": (Decimal(1), None),
        "2024-05-26": (Decimal(1), Decimal("0.1000000000000000055")),
        "2024-05-28": of_day,
    }
    assert differing(read, published) == ["2024-05-25", "2024-05-26", "2024-05-27", "2024-05-28"]


def test_the_queries_give_what_the_objects_and_the_manifest_have(tmp_path: Path) -> None:
    """In DuckDB, over tables of text columns, as Athena's are."""
    day = tmp_path / "kpis" / f"date={DAY.day}" / "kpi.json"
    day.parent.mkdir(parents=True)
    day.write_bytes(DAY.to_bytes())
    (tmp_path / "manifest.json").write_bytes(manifest(a_run()).to_bytes())
    database = duckdb.connect()
    ((trip_count, *fares),) = published_figures(tmp_path).values()
    assert trip_count is not None
    texts = ", ".join(f"'{fare}' AS {name}" for name, fare in zip(NAMES[2:], fares, strict=True))
    database.execute(
        f"CREATE TABLE kpis AS SELECT DATE '{DAY.day}' AS date, {int(trip_count)} AS trip_count, "
        + texts
    )
    days = f"STRUCT({', '.join(f'{name} VARCHAR' for name in NAMES)})[]"
    database.execute(
        f"""CREATE TABLE runs AS SELECT * FROM read_json('{tmp_path}/manifest.json',
            columns = {{run_id: 'VARCHAR', days: '{days}'}})"""
    )
    # Athena unfolds an array of structs into a column for each field, DuckDB into one column.
    of_run = DAYS_OF_RUN.format(run_id="run-1")
    names = of_run[of_run.index("(date,") : of_run.index("WHERE")]
    for query in (DAYS, of_run.replace("AS one", "AS one (one)").replace(names, "\n")):
        ((date, *figures),) = database.execute(query).fetchall()
        assert {date: tuple(map(Decimal, figures))} == published_figures(tmp_path)
