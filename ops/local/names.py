"""The names of the parts of a stack on this machine."""

from pathlib import Path

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
STACK_NAME = "trip-kpis"
TABLE_NAME = "trips"
CONTAINERS_BUCKET = "trip-kpis"
"""The table, and the bucket of a stack whose functions run in containers, as events/env.local.json
names them; else the stack makes a bucket of its own."""
CONTAINERS_PORT = 4577
"""the port at which containers look for the embedded AWS, as in events/env.local.json"""
