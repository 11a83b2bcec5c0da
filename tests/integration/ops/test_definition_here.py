"""A KPI definition by its path: the functions of the stack on this machine calculate by it."""

import json
import time
from pathlib import Path

import pytest

from ops.local.local_stack import Where, local_stack
from ops.local.parameters import fit_parameters
from ops.local.trip_files import read_trips
from trip_kpis.core.errors import SettingError

CSV = "id,status,city,price,at\n1,done,Berlin,2.5,2024-05-25\n2,open,Berlin,9,2024-05-25\n"
DEFINITION = """
[item]
day = "at"

[item.where]
status = "done"

[kpis]
orders = { count = true }
revenue = { sum = "price" }

[breakdowns]
city = ["city"]
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    trips, definition = tmp_path / "orders.csv", tmp_path / "orders.toml"
    trips.write_text(CSV)
    definition.write_text(DEFINITION)
    return trips, definition


def test_the_functions_calculate_by_the_file(files: tuple[Path, Path]) -> None:
    trips = read_trips([files[0]], hash_key="id")
    fitted = fit_parameters({"KpiDefinition": str(files[1])}, trips)
    with local_stack(
        trips, where=Where(), parameters=fitted.parameters, on_loaded=lambda _: None
    ) as local:
        steps, s3 = local.client("stepfunctions"), local.client("s3")
        started = steps.start_execution(stateMachineArn=local.state_machine_arn, input="{}")
        status = "RUNNING"
        while status == "RUNNING":
            execution = steps.describe_execution(executionArn=started["executionArn"])
            status = execution["status"]
            time.sleep(0.05)
        assert status == "SUCCEEDED", execution
        found = {
            key: json.loads(s3.get_object(Bucket=local.bucket_name, Key=key)["Body"].read())
            for key in (
                "kpis/date=2024-05-25/kpi.json",
                "breakdowns/by=city/date=2024-05-25/kpis.jsonl",
            )
        }
    figures = {"orders": 1, "revenue": 2.5}
    assert [*found.values()] == [
        {"date": "2024-05-25", **figures},
        {"date": "2024-05-25", "city": "Berlin", **figures},
    ]


def test_a_condition_on_no_column_is_refused_before_anything_is_loaded(
    files: tuple[Path, Path],
) -> None:
    files[1].write_text(DEFINITION.replace("status", "statsu"))
    trips = read_trips([files[0]], hash_key="id")
    with pytest.raises(
        SettingError, match=r"write \"status\" instead of \"statsu\" in item\.where"
    ):
        fit_parameters({"KpiDefinition": str(files[1])}, trips)
