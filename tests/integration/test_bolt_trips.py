"""A real day whose figures are known, where the data set is at hand."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.pipeline import Pipeline

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "bolt-trips"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"the data set of real trips is not there: put trip_start.csv and trip_end.csv into "
    f"{FOLDER.parent.parent.name}/{FOLDER.parent.name}/{FOLDER.name} beside the repository",
)

KEY = "kpis/date=2024-05-25/kpi.json"


def joined_trips() -> list[dict[str, Any]]:
    """One item a trip, every value a String, as the producer writes them."""
    trips: dict[str, dict[str, Any]] = {}
    for name in ("trip_start.csv", "trip_end.csv"):
        with (FOLDER / name).open(newline="") as lines:
            for row in csv.DictReader(lines):
                trips.setdefault(row["trip_id"], {}).update(
                    {column: {"S": value} for column, value in row.items() if value}
                )
    return list(trips.values())


@pytest.fixture
def bolt(pipeline: Pipeline) -> Pipeline:
    items = joined_trips()
    pipeline.make_table()
    for start in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        pipeline.dynamodb.batch_write_item(RequestItems={"trips": requests})
    return pipeline


def test_the_real_day_has_its_known_figures_in_one_segment_and_in_seventeen(
    bolt: Pipeline,
) -> None:
    published = {}
    for total_segments in (1, 17):
        bolt.remove("kpis/")
        summary = bolt.run(f"run-{total_segments}", total_segments=total_segments)
        assert (summary["scanned"], summary["trips"]) == (4999, 4999)
        assert (summary["incomplete"], summary["rejected"]) == (0, {})
        published[total_segments] = bolt.objects("kpis/")
    assert published[1] == published[17]

    assert list(published[1]) == [KEY]
    figures = json.loads(published[1][KEY], parse_float=Decimal)
    assert figures == {
        "date": "2024-05-25",
        "trip_count": 4999,
        "total_fare": Decimal("274393.88255724832189"),
        "average_fare": Decimal("54.889754"),
        "max_fare": Decimal("99.9901266575316"),
        "min_fare": Decimal("10.036694629486497"),
    }
    # Grouped by the whole timestamp, or without the trips that have a blank column:
    assert (figures["trip_count"], round(figures["total_fare"], 2)) not in {
        (2, Decimal("113.18")),
        (4468, Decimal("245273.32")),
    }
