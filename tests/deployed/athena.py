"""What Athena reads of a published run, and which of its figures are not those of the objects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.deployed.waiting import Awaited, Patience

FARES = ("total_fare", "average_fare", "max_fare", "min_fare")
_CAST = ", ".join(f"CAST(CAST({{of}}{name} AS decimal(38,18)) AS varchar)" for name in FARES)
DAYS = f"SELECT CAST(date AS varchar), CAST(trip_count AS varchar), {_CAST.format(of='')} FROM kpis"
"""of the table `kpis`"""
DAYS_OF_RUN = f"""SELECT one.date, CAST(one.trip_count AS varchar), {_CAST.format(of="one.")}
FROM runs CROSS JOIN UNNEST(days) AS one
     (date, outcome, sha256, trip_count, total_fare, average_fare, max_fare, min_fare,
      open, published_trip_count)
WHERE run_id = '{{run_id}}'"""
"""of the manifest, in the table `runs`"""

Figures = Mapping[str, tuple[Decimal | None, ...]]
"""by day: trip count, total, average, highest and lowest fare"""

_QUERY_ENDED = Awaited(
    operation="GetQueryExecution",
    reached="QueryExecution.Status.State == 'SUCCEEDED'",
    out_of_reach="QueryExecution.Status.State == 'FAILED'"
    " || QueryExecution.Status.State == 'CANCELLED'",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Athena:
    """The workgroup and the database that a stack made."""

    client: Any
    workgroup: str
    database: str
    patience: Patience

    def figures(self, query: str) -> Figures:
        """The rows of one of the queries above. Raises botocore's WaiterError if it fails."""
        execution = self.client.start_query_execution(
            QueryString=query,
            WorkGroup=self.workgroup,
            QueryExecutionContext={"Database": self.database},
        )["QueryExecutionId"]
        _QUERY_ENDED.wait(self.client, self.patience, QueryExecutionId=execution)
        pages = self.client.get_paginator("get_query_results").paginate(QueryExecutionId=execution)
        rows = [
            [cell.get("VarCharValue") for cell in row["Data"]]
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]
        # The first row has the columns' names.
        return {
            str(day): tuple(None if text is None else Decimal(text) for text in figures)
            for day, *figures in rows[1:]
        }


def published_figures(out: Path) -> Figures:
    """Of every `kpi.json` of a copy of the bucket, as its text has them."""
    lines = (
        json.loads(file.read_bytes(), parse_float=Decimal, parse_int=Decimal)
        for file in (out / "kpis").glob("date=*/kpi.json")
    )
    return {line["date"]: (line["trip_count"], *(line[name] for name in FARES)) for line in lines}


def differing(read: Figures, published: Figures) -> list[str]:
    """The days of which a figure is another one, or that only one of the two has."""
    return sorted(
        day for day in read.keys() | published.keys() if read.get(day) != published.get(day)
    )
