"""Exact per-day KPIs from a DynamoDB table too big for one Lambda."""

__version__ = "0.1.0"
