"""Exact per-day KPIs from a DynamoDB table too big for one Lambda."""

from trip_kpis.package_stamp import check_package

__version__ = "0.1.0"

# Here, because this comes before all other modules of the package, and so before any wheel.
check_package()
