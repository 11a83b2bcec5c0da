"""What Athena sees is what the program writes."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.stack.a_run import DAY, a_run
from tests.unit.stack.resolved import stack
from trip_kpis.core.run.manifest import manifest

STACK = stack("trips-eu")
QUERIES = {
    name: query["QueryString"] for name, query in STACK.of_type("AWS::Athena::NamedQuery").items()
}


def table(name: str) -> dict[str, Any]:
    found: dict[str, Any] = STACK[name]["TableInput"]
    return found


def columns(name: str) -> dict[str, str]:
    return {one["Name"]: one["Type"] for one in table(name)["StorageDescriptor"]["Columns"]}


def fields(struct: str) -> list[str]:
    return re.findall(r"(\w+):", struct)


def test_a_days_partition_is_counted_off_and_lies_where_the_program_writes_it() -> None:
    kpis = table("KpisTable")
    assert kpis["PartitionKeys"] == [
        {"Name": "date", "Type": "date", "Comment": "day of the trips, in the reporting time zone"}
    ]
    parameters = kpis["Parameters"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.date.type"] == "date"
    assert parameters["projection.date.format"] == "yyyy-MM-dd"
    assert parameters["projection.date.range"] == "2000-01-01,NOW+1YEARS"
    early = stack("trips-eu", EarliestDay="1990-07-01")["KpisTable"]["TableInput"]["Parameters"]
    assert early["projection.date.range"] == "1990-07-01,NOW+1YEARS"
    location = parameters["storage.location.template"].replace("${date}", "2024-05-25")
    assert location == "s3://ResultsBucket/kpis/date=2024-05-25/"
    assert kpis["StorageDescriptor"]["Location"] == "s3://ResultsBucket/kpis/"


def test_every_kpi_is_a_column_and_every_fare_the_text_that_was_written() -> None:
    line = json.loads(DAY.to_bytes(), parse_float=Decimal)
    found = columns("KpisTable")
    assert {"date", *found} == set(line)
    assert found.pop("trip_count") == "bigint"
    assert set(found.values()) == {"string"}


def casts(query: str) -> dict[str, str]:
    """The type that a query casts each column to."""
    return dict(re.findall(r"CAST\((\w+) AS (decimal\(\d+,\d+\))\)", query))


@pytest.mark.parametrize("name", ["LatestDaysQuery", "DecimalViewQuery"])
def test_every_fare_is_cast_to_a_decimal_that_holds_it(name: str) -> None:
    line = json.loads(DAY.to_bytes(), parse_float=Decimal)
    found = casts(QUERIES[name])
    assert set(found) == set(columns("KpisTable")) - {"trip_count"}
    for column, kind in found.items():
        precision, scale = map(int, re.findall(r"\d+", kind))
        assert line[column].adjusted() < precision - scale
        assert -line[column].as_tuple().exponent <= scale


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_reads_a_fare_without_a_cast(name: str) -> None:
    if "FROM kpis" not in QUERIES[name]:
        return
    text = re.sub(r"CAST\((\w+_fare) AS decimal\(38,18\)\)", "", QUERIES[name])
    assert not re.findall(r"(?<!AS )\b\w+_fare\b", text)


def test_every_column_of_the_runs_is_in_a_manifest() -> None:
    document = json.loads(manifest(a_run()).to_bytes())
    found = columns("RunsTable")
    assert set(found) <= set(document)
    assert table("RunsTable")["StorageDescriptor"]["Location"] == "s3://ResultsBucket/runs/"
    kinds = {
        "string": str,
        "int": int,
        "bigint": int,
        "double": (int, float),
        "map<string,bigint>": dict,
        "map<string,string>": dict,
        "map<string,double>": dict,
    }
    for name, kind in found.items():
        if kind.startswith("array<"):
            assert set(fields(kind)) <= set(document[name][0])
        elif not (name == "export_arn" and document["source"] == "scan"):
            assert isinstance(document[name], kinds[kind]), name


def test_both_tables_are_read_by_the_serde_that_gives_the_text_of_a_number() -> None:
    """The OpenX SerDe can give nulls where there are none.

    https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
    """
    for name in ("KpisTable", "RunsTable"):
        serde = table(name)["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
        assert serde == "org.apache.hive.hcatalog.data.JsonSerDe"
        kinds = json.dumps(table(name)["StorageDescriptor"]["Columns"])
        assert "decimal" not in re.sub(r"CAST\(.*?\)\)", "", kinds)


def test_the_pages_own_table_is_the_stacks() -> None:
    """For who deploys with AthenaTables=none."""
    page = (Path(__file__).parents[3] / "docs/athena.md").read_text()
    (ddl,) = re.findall(r"```sql\n(CREATE EXTERNAL TABLE kpis.*?)```", page, re.DOTALL)
    ddl = ddl.replace("<bucket>", "ResultsBucket")
    (declared,) = re.findall(r"TABLE kpis \((.*?)\)\n", ddl, re.DOTALL)
    assert dict(one.split() for one in declared.split(",")) == columns("KpisTable")
    assert "PARTITIONED BY (`date` date)" in ddl
    descriptor = table("KpisTable")["StorageDescriptor"]
    assert f"'{descriptor['SerdeInfo']['SerializationLibrary']}'" in ddl
    assert f"LOCATION '{descriptor['Location']}'" in ddl
    properties = ddl.partition("TBLPROPERTIES")[2]
    assert (
        dict(re.findall(r"'([^']+)' = '([^']+)'", properties)) == table("KpisTable")["Parameters"]
    )


def test_without_athena_nothing_of_glue_and_athena_is_in_the_stack() -> None:
    without = stack("trips-eu", AthenaTables="none")
    kinds = {resource["Type"] for resource in without.resources.values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::Glue::", "AWS::Athena::"))]
    assert set(STACK.outputs) - set(without.outputs) == {"AthenaDatabase", "AthenaWorkGroup"}
    # Everything else is the same, and refers to nothing that is not there.
    assert {name: STACK.resources[name] for name in without.resources} == without.resources
    gone = set(STACK.resources) - set(without.resources)
    assert not [name for name in gone if f'"{name}' in json.dumps(without.resources)]


def test_the_databases_name_needs_no_quotes() -> None:
    assert STACK["KpisDatabase"]["DatabaseInput"]["Name"] == "trips_eu"
    assert table("KpisTable")["Name"] == "kpis"
    assert table("RunsTable")["Name"] == "runs"


def test_results_of_queries_go_into_the_bucket_encrypted_as_it_is() -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/of-the-bucket"
    for of, encryption in (
        (STACK, {"EncryptionOption": "SSE_S3"}),
        (stack(BucketKmsKeyArn=key), {"EncryptionOption": "SSE_KMS", "KmsKey": key}),
    ):
        configuration = of["KpisWorkGroup"]["WorkGroupConfiguration"]
        assert configuration["EnforceWorkGroupConfiguration"] is True
        assert configuration["ResultConfiguration"] == {
            "OutputLocation": "s3://ResultsBucket/athena/",
            "EncryptionConfiguration": encryption,
        }


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_is_of_this_stacks_database_and_workgroup(name: str) -> None:
    assert STACK[name]["Database"] == "KpisDatabase"
    assert STACK[name]["WorkGroup"] == "KpisWorkGroup"


@pytest.fixture
def database(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """Two months of days and one run, with Athena's functions that DuckDB calls by other names."""
    connection = duckdb.connect()
    connection.execute("CREATE MACRO day_of_week(day) AS isodow(day)")
    connection.execute("CREATE MACRO from_iso8601_timestamp(text) AS text::TIMESTAMPTZ")
    connection.execute(
        """CREATE TABLE kpis AS
           SELECT (current_date - INTERVAL (i) DAY)::DATE AS date,
                  CASE i WHEN 2 THEN 999 ELSE 100 END::BIGINT AS trip_count,
                  '123.5' AS total_fare, '1.235' AS average_fare,
                  '9.5' AS max_fare, '-0.500000000000000001' AS min_fare
           FROM range(60) AS days (i)"""
    )
    (tmp_path / "manifest.json").write_bytes(manifest(a_run()).to_bytes())
    kinds = {"string": "VARCHAR", "map<string,double>": "MAP(VARCHAR, DOUBLE)"}
    declared = ", ".join(
        f"{name}: '{kinds.get(kind, kind)}'"
        for name, kind in columns("RunsTable").items()
        if kind in kinds or "<" not in kind
    )
    connection.execute(
        f"CREATE TABLE runs AS FROM read_json('{tmp_path}/manifest.json', columns = {{{declared}}})"
    )
    return connection


@pytest.mark.parametrize(
    ("name", "rows"),
    # 30 days and today; the one day with ten times the trips; the one run
    [("LatestDaysQuery", 31), ("UnusualDaysQuery", 1), ("RunsQuery", 1)],
)
def test_a_saved_query_runs(database: duckdb.DuckDBPyConnection, name: str, rows: int) -> None:
    assert len(database.execute(QUERIES[name]).fetchall()) == rows


def test_the_view_has_every_digit_of_a_fare(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(QUERIES["DecimalViewQuery"])
    rows = database.execute("SELECT DISTINCT total_fare, min_fare FROM daily_kpis").fetchall()
    assert rows == [(Decimal("123.5"), Decimal("-0.500000000000000001"))]


def test_a_months_average_is_of_its_trips(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.execute(QUERIES["MonthsQuery"]).fetchall()
    (trips, total) = (sum(row[index] for row in rows) for index in (1, 2))
    assert (trips, total) == (59 * 100 + 999, Decimal("123.5") * 60)
    for row in rows:
        assert float(row[3]) == pytest.approx(float(row[2]) / row[1])


def test_queries_that_unfold_a_runs_lists_name_all_that_is_in_them() -> None:
    """Athena unfolds an array of structs into a column for each field, which all need a name."""
    slow = QUERIES["SlowSegmentsQuery"]
    (named,) = re.findall(r"UNNEST\(by_segment\) AS one\s+\(([^)]+)\)", slow)
    assert named.split(", ") == fields(columns("RunsTable")["by_segment"])
    assert set(re.findall(r"one\.(\w+)", slow)) <= set(named.split(", "))
    page = (Path(__file__).parents[3] / "docs/athena.md").read_text()
    (named,) = re.findall(r"UNNEST\(days\) AS one\s+\(([^)]+)\)", page)
    assert named.split(", ") == fields(columns("RunsTable")["days"])
    assert "UNNEST(rejected) AS by_reason (reason, trips)" in QUERIES["RejectedQuery"]
    assert columns("RunsTable")["rejected"] == "map<string,bigint>"


def test_every_saved_query_is_played_here() -> None:
    assert set(QUERIES) == {
        "LatestDaysQuery",
        "DecimalViewQuery",
        "MonthsQuery",
        "UnusualDaysQuery",
        "RunsQuery",
        "RejectedQuery",
        "SlowSegmentsQuery",
    }
