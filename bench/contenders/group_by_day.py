"""The step that the alternatives share: from completed trips in a frame to the figures of each
day."""

import decimal
from typing import Any

import pandas as pd

from bench.trips import DAY, ESTIMATE, FARE

decimal.getcontext().prec = 60  # 28 by default, too few for sums that are to be exact


def figures(trips: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """`trips` has Decimals for fares; nothing is lost on the way."""
    completed = trips.dropna(subset=[FARE, ESTIMATE])
    fares = completed.groupby(completed[DAY].str[:10])[FARE]
    days = fares.agg(trip_count="count", total_fare="sum", max_fare="max", min_fare="min")
    return {
        str(row.Index): {
            "trip_count": int(row.trip_count),
            "total_fare": str(row.total_fare),
            "max_fare": str(row.max_fare),
            "min_fare": str(row.min_fare),
        }
        for row in days.itertuples()
    }
