"""Estimates what a run will read, take and cost, and what to change before it starts."""
