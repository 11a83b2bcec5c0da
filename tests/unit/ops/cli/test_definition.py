"""`ops definition`: what a KPI definition means, in words, requests and statements."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli.main import main

ORDERS = """
[item]
day = "done_at"
null_values = ["N/A"]

[item.where]
status = "completed"
price = { above = 0 }

[kpis]
orders = { count = true }
revenue = { sum = ["price", "tip"], missing = 0, scale = "0.01" }

[breakdowns]
city = ["pickup.City"]
place = ["stops[0]"]
"""


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    file = tmp_path / "orders.toml"
    file.write_text(ORDERS)
    return file


def definition(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["definition", *map(str, arguments)])


def test_the_default_is_explained_by_its_name() -> None:
    said = definition("trips")
    assert said.exit_code == 0
    assert "Every item of the table is looked at." in said.stdout
    assert "total_fare is the sum of fare_amount." in said.stdout
    assert "CREATE EXTERNAL TABLE kpis (" in said.stdout


def test_a_file_is_explained_in_sentences(orders: Path) -> None:
    said = json.loads(definition(orders, "--json").stdout)
    assert said["sentences"][:2] == [
        'An item is looked at if status is "completed", and price is above 0; else it is excluded.',
        'A String that is "N/A" means that there is no value, as NULL and an empty String do.',
    ]
    assert (
        "revenue is the sum of each item's sum of price and tip, times 0.01; an item without a "
        "value there counts with 0." in said["sentences"]
    )
    assert [one["decided_by"] for one in said["conditions"]] == ["DynamoDB", "worker"]
    assert said["columns"] == {
        "kpis": {"orders": "bigint", "revenue": "string"},
        "city": {"City": "string", "orders": "bigint", "revenue": "string"},
        "place": {"stops[0]": "string", "orders": "bigint", "revenue": "string"},
    }


def test_the_statements_alone_are_for_the_bucket_that_is_named(orders: Path) -> None:
    said = definition(orders, "--ddl", "--bucket", "my-bucket").stdout
    assert said.startswith("CREATE EXTERNAL TABLE kpis (\n  `orders` bigint,\n  `revenue` string)")
    assert "'s3://my-bucket/breakdowns/by=city/date=${date}/'" in said
    assert "LOCATION 's3://my-bucket/breakdowns/by=city/'" in said
    assert "`city` string" in said
    assert "-- Athena cannot have a column stops[0]: it is left out." in said
    assert (
        'SELECT "date", "orders", CAST("revenue" AS decimal(38,18)) AS "revenue"\nFROM kpis;'
        in said
    )


def test_the_request_alone_is_json(orders: Path) -> None:
    request = json.loads(definition(orders, "--request").stdout)
    assert "FilterExpression" in request
    assert "status" in request["ExpressionAttributeNames"].values()


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("count = true", "cuont = true", "kpis.orders.cuont"),
        ("[kpis]", "[kpi]", "[kpi]"),
        ("[item]", "[item", "line 2"),
    ],
)
def test_a_wrong_file_ends_with_exit_status_2_and_what_is_possible(
    orders: Path, right: str, wrong: str, says: str
) -> None:
    orders.write_text(ORDERS.replace(right, wrong, 1))
    result = definition(orders)
    assert result.exit_code == 2
    assert says in result.output


def test_a_file_or_name_that_is_not_there_ends_with_exit_status_2(tmp_path: Path) -> None:
    assert definition(tmp_path / "none.toml").exit_code == 2
    result = definition("trisp")
    assert (result.exit_code, "trips" in result.output) == (2, True)
