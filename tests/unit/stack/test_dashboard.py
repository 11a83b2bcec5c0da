"""The dashboard shows what the functions measure, and is one that CloudWatch takes."""

import json
from itertools import combinations, product
from typing import Any

from tests.unit.stack.resolved import stack
from trip_kpis.core.run.run_metrics import Measure

WIDGETS: list[dict[str, Any]] = json.loads(stack("trips-eu")["RunsDashboard"]["DashboardBody"])[
    "widgets"
]


def shown() -> list[tuple[str, ...]]:
    """Every metric with namespace, name and dimensions; "." is what stands above it."""
    found = []
    for widget in WIDGETS:
        above: list[str] = []
        for row in widget["properties"].get("metrics", ()):
            parts = [part for part in row if isinstance(part, str)]
            above = [above[i] if part == "." else part for i, part in enumerate(parts)]
            if above:
                found.append(tuple(above))
    return found


def test_it_shows_every_metric_of_the_functions_for_this_stack_alone() -> None:
    ours = {row for row in shown() if row[0] == "TripKpis"}
    assert ours == {("TripKpis", name, "StackName", "trips-eu") for name in Measure}


def test_what_it_shows_of_step_functions_is_of_this_state_machine() -> None:
    theirs = {row for row in shown() if row[0] != "TripKpis"}
    assert {(row[0], *row[2:]) for row in theirs} == {
        ("AWS/States", "StateMachineArn", "TripKpisStateMachine")
    }
    assert {row[1] for row in theirs} == {
        "ExecutionTime",
        *(
            f"Executions{what}"
            for what in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")
        ),
    }


def test_rejected_trips_are_also_shown_by_reason() -> None:
    (widget,) = (one for one in WIDGETS if "by reason" in one["properties"].get("title", ""))
    ((expression,),) = widget["properties"]["metrics"]
    assert expression["expression"] == (
        'SEARCH(\'{TripKpis,Reason,StackName} MetricName="TripsRejected" '
        "StackName=\"trips-eu\"', 'Sum', 86400)"
    )


def test_no_two_widgets_cover_each_other_and_none_leaves_the_grid() -> None:
    def cells(widget: dict[str, Any]) -> set[tuple[int, int]]:
        x, y = widget["x"], widget["y"]
        return set(product(range(x, x + widget["width"]), range(y, y + widget["height"])))

    for one, another in combinations(WIDGETS, 2):
        assert not cells(one) & cells(another)
    assert max(widget["x"] + widget["width"] for widget in WIDGETS) == 24


def test_the_gate_is_drawn_where_the_parameter_has_it() -> None:
    body = json.loads(stack(MaxRejectedShare="0.2")["RunsDashboard"]["DashboardBody"])
    (widget,) = (
        one for one in body["widgets"] if one["properties"].get("title", "").startswith("Share")
    )
    (line,) = widget["properties"]["annotations"]["horizontal"]
    assert line == {"label": "MaxRejectedShare", "value": 0.2}


def test_the_log_widget_reads_the_three_functions_logs() -> None:
    (widget,) = (one for one in WIDGETS if one["type"] == "log")
    groups = {
        function["LoggingConfig"]["LogGroup"]
        for function in stack().of_type("AWS::Lambda::Function").values()
    }
    assert len(groups) == 3
    assert all(f"SOURCE '{group}'" in widget["properties"]["query"] for group in groups)
