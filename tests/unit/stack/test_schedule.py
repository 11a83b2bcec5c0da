"""The schedule starts the stack's own state machine, and can do nothing else."""

import json

from tests.unit.stack.resolved import stack


def test_it_starts_runs_when_and_as_long_as_the_parameters_say() -> None:
    of = stack(
        ScheduleExpression="rate(6 hours)", ScheduleTimeZone="Asia/Tokyo", ScheduleState="DISABLED"
    )
    (schedule,) = of.of_type("AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "rate(6 hours)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert schedule["State"] == "DISABLED"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert schedule["Target"]["Arn"] == "TripKpisStateMachine"
    # No run_id: each start is a run of its own, also if it is delivered twice.
    assert json.loads(schedule["Target"]["Input"]) == {}


def test_it_has_no_name_of_its_own_that_another_stack_could_have_too() -> None:
    (schedule,) = stack().of_type("AWS::Scheduler::Schedule").values()
    assert "Name" not in schedule


def test_its_role_may_start_this_state_machine_and_no_other() -> None:
    of = stack()
    (schedule,) = of.of_type("AWS::Scheduler::Schedule").values()
    assert schedule["Target"]["RoleArn"] == "TripKpisScheduleRole.Arn"
    assert of.statements("TripKpisScheduleRole") == {
        "StartRuns": {
            "Sid": "StartRuns",
            "Effect": "Allow",
            "Action": "states:StartExecution",
            "Resource": "TripKpisStateMachine",
        }
    }
    (trust,) = of["TripKpisScheduleRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_sam_makes_no_role_beside_those_of_the_template() -> None:
    assert set(stack().of_type("AWS::IAM::Role")) == {
        "PlanRunRole",
        "ScanSegmentRole",
        "MergePartialsRole",
        "TripKpisStateMachineRole",
        "TripKpisScheduleRole",
    }
