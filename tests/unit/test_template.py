"""The stack: its parameters, what the functions are given, and what their roles may do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from trip_kpis.core.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]

REQUIRED = object()
PARAMETERS = {
    "TableName": REQUIRED,
    "BucketName": "",
    "AthenaTables": "create",
    "KpiDefinition": "trips",
    "FareAttribute": "fare_amount",
    "EstimatedFareAttribute": "estimated_fare_amount",
    "DayAttribute": "pickup_datetime",
    "TimeZone": "UTC",
    "TimeFormats": "",
    "EarliestDay": "2000-01-01",
    "Source": "scan",
    "TotalSegments": 0,
    "MaxConcurrency": 32,
    "ReadUnitsPerSecond": 0,
    "ConsistentRead": "false",
    "CheckpointSeconds": 60,
    "MaxRejectedShare": "0.01",
    "VanishedDays": "keep",
    "ShrunkDays": "publish",
    "OpenDays": "publish",
    "ScheduleExpression": "cron(15 2 * * ? *)",
    "ScheduleTimeZone": "UTC",
    "ScheduleState": "ENABLED",
    "ExportBucketName": "",
    "ExportKmsKeyArn": "",
    "BucketKmsKeyArn": "",
    "TableKmsKeyArn": "",
    "LogRetentionDays": 30,
    "StagingExpirationDays": 30,
    "QuarantineExpirationDays": 90,
    "NotificationEmail": "",
    "MaxHoursWithoutSuccess": 26,
    "Architecture": "arm64",
    "PythonRuntime": "python3.13",
    "ScanMemory": 512,
    "MergeMemory": 1769,
}

# The parameter that each variable hands to the function; every function also has the Globals'.
VARIABLES = {
    "PlanRunFunction": {
        "KPI_DEFINITION": "KpiDefinition",
        "FARE_ATTRIBUTE": "FareAttribute",
        "ESTIMATED_FARE_ATTRIBUTE": "EstimatedFareAttribute",
        "DAY_ATTRIBUTE": "DayAttribute",
        "TIME_ZONE": "TimeZone",
        "TIME_FORMATS": "TimeFormats",
        "EARLIEST_DAY": "EarliestDay",
        "SOURCE": "Source",
        "TOTAL_SEGMENTS": "TotalSegments",
        "MAX_CONCURRENCY": "MaxConcurrency",
        "READ_UNITS_PER_SECOND": "ReadUnitsPerSecond",
        "CONSISTENT_READ": "ConsistentRead",
        "CHECKPOINT_SECONDS": "CheckpointSeconds",
        "MAX_REJECTED_SHARE": "MaxRejectedShare",
        "SHRUNK_DAYS": "ShrunkDays",
        "SCAN_MEMORY": "ScanMemory",
        "MERGE_MEMORY": "MergeMemory",
    },
    "ScanSegmentFunction": {},
    "MergePartialsFunction": {
        "MAX_REJECTED_SHARE": "MaxRejectedShare",
        "VANISHED_DAYS": "VanishedDays",
        "SHRUNK_DAYS": "ShrunkDays",
        "OPEN_DAYS": "OpenDays",
    },
}

LOGS = {("logs:CreateLogStream", "<own log group>"), ("logs:PutLogEvents", "<own log group>")}
BUCKETS_KEY = {
    ("kms:Decrypt if BucketHasKey", "BucketKmsKeyArn by s3"),
    ("kms:GenerateDataKey if BucketHasKey", "BucketKmsKeyArn by s3"),
}
EXPORTS = {
    ("s3:GetObject", "exports/*"),
    ("s3:ListBucket", "exports/*"),
    ("s3:GetObject if HasExportBucket", "<another bucket>/*"),
    ("s3:ListBucket if HasExportBucket", "<another bucket>"),
    ("kms:Decrypt if ExportHasKey", "ExportKmsKeyArn by s3"),
}
"""what reading one takes"""
PERMISSIONS = {
    "PlanRunRole": LOGS
    | BUCKETS_KEY
    | EXPORTS
    | {
        ("dynamodb:DescribeContinuousBackups", "<table>"),
        ("dynamodb:DescribeExport", "<table>/export/*"),
        ("s3:ListBucket", "staging/run=*/export.json"),
        ("s3:GetObject", "staging/run=*/export.json"),
        ("s3:PutObject", "staging/run=*/export.json"),
        ("kms:Decrypt if TableHasKey", "TableKmsKeyArn by dynamodb"),
        ("dynamodb:DescribeTable", "<table>"),
        ("dynamodb:DescribeTimeToLive", "<table>"),
        ("lambda:GetAccountSettings", "*"),
        ("s3:ListBucket", "staging/run=*/read-budget-*"),
        ("s3:GetObject", "staging/run=*/read-budget-*"),
        ("s3:PutObject", "staging/run=*/read-budget-*"),
        ("dynamodb:Scan", "<table>"),
        ("s3:GetObject", "staging/run=*/plan.json"),
        ("s3:PutObject", "staging/run=*/plan.json"),
    },
    "ScanSegmentRole": LOGS
    | BUCKETS_KEY
    | EXPORTS
    | {
        ("kms:Decrypt if TableHasKey", "TableKmsKeyArn by dynamodb"),
        ("dynamodb:Scan", "<table>"),
        ("s3:ListBucket", "staging/run=*"),
        ("s3:GetObject", "staging/run=*"),
        ("s3:PutObject", "staging/run=*/segment=*"),
        ("s3:PutObject", "quarantine/run=*"),
    },
    "MergePartialsRole": LOGS
    | BUCKETS_KEY
    | {
        ("s3:ListBucket", "staging/run=*"),
        ("s3:ListBucket", "kpis/*"),
        ("s3:ListBucket", "breakdowns/*"),
        ("s3:ListBucket", "runs/*"),
        ("s3:GetObject", "staging/run=*"),
        ("s3:GetObject", "kpis/*"),
        ("s3:PutObject", "kpis/*"),
        ("s3:GetObject", "breakdowns/*"),
        ("s3:PutObject", "breakdowns/*"),
        ("s3:GetObject", "runs/*"),
        ("s3:ListBucket", "lease/*"),
        ("s3:GetObject", "lease/publish.json"),
        ("s3:PutObject", "lease/publish.json"),
        ("s3:DeleteObject", "lease/publish.json"),
        ("dynamodb:DescribeTable", "<table>"),
        ("s3:PutObject", "runs/*"),
        ("s3:DeleteObject if RemoveVanishedDays", "kpis/*"),
        ("s3:DeleteObject if RemoveVanishedDays", "breakdowns/*"),
    },
}

Template = dict[str, Any]


@pytest.fixture(scope="module")
def template() -> Template:
    return yaml_parse((ROOT / "template.yaml").read_text())


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# -- parameters -----------------------------------------------------------------------------------


def test_the_parameters_have_their_names_and_defaults(template: Template) -> None:
    defaults = {
        name: declared.get("Default", REQUIRED) for name, declared in template["Parameters"].items()
    }
    assert defaults == PARAMETERS


def test_every_default_keeps_to_the_parameters_own_rules(template: Template) -> None:
    for name, declared in template["Parameters"].items():
        if "Default" not in declared:
            continue
        default = declared["Default"]
        assert default in declared.get("AllowedValues", [default]), name
        assert re.fullmatch(declared.get("AllowedPattern", ".*"), str(default)), name
        if declared["Type"] == "Number":
            number = float(default)
            assert declared.get("MinValue", number) <= number <= declared.get("MaxValue", number)


def test_no_default_is_a_fraction_that_sam_local_would_lose(template: Template) -> None:
    defaults = [declared.get("Default") for declared in template["Parameters"].values()]
    assert not [default for default in defaults if isinstance(default, float)]


def test_every_parameter_has_an_effect_a_description_and_a_place_in_the_console(
    template: Template,
) -> None:
    rest = json.dumps({key: template[key] for key in ("Conditions", "Globals", "Resources")})
    effective = set(re.findall(r'"Ref": "(\w+)"', rest)) | set(re.findall(r"\$\{(\w+)\}", rest))
    assert template["Parameters"].keys() - effective == set()
    assert [
        n for n, declared in template["Parameters"].items() if "Description" not in declared
    ] == []
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])


@pytest.mark.parametrize(
    ("parameter", "accepted", "refused"),
    [
        ("TableName", ["trips", "Trips_2.prod-eu"], ["ab", "arn:aws:dynamodb:::table/trips", ""]),
        ("BucketName", ["", "my-bucket.eu"], ["s3://bucket", "Bucket", "-b-"]),
        (
            "FareAttribute",
            ["fare", "trip_end.fare_amount", r"fare\.amount", r"a\..b"],
            ["", ".fare", "a..b", "fare.", r"a\\."],
        ),
        (
            "EarliestDay",
            ["2000-01-01", "1900-12-31", "2100-06-30"],
            ["", "20000101", "1899-12-31", "2000-1-1", "2101-01-01"],
        ),
        ("TimeZone", ["UTC", "Europe/Berlin", "Etc/GMT+5"], ["", "/UTC", "Europe Berlin"]),
        ("ScheduleExpression", ["rate(1 day)", "cron(15 2 * * ? *)"], ["daily", "rate()", ""]),
        (
            "BucketKmsKeyArn",
            [
                "",
                "arn:aws:kms:eu-west-1:123456789012:key/mrk-0a1B",
                "arn:aws-cn:kms:cn-north-1:123456789012:key/1",
            ],
            ["alias/mine", "arn:aws:kms:eu-west-1:123456789012:alias/mine", "1234"],
        ),
        ("ExportBucketName", ["", "our-exports.eu"], ["s3://bucket", "Bucket", "arn:aws:s3:::b"]),
        (
            "ExportKmsKeyArn",
            ["", "arn:aws:kms:eu-west-1:210987654321:key/mrk-0a1B"],
            ["alias/mine", "arn:aws:kms:eu-west-1:123456789012:alias/mine", "1234"],
        ),
        ("NotificationEmail", ["", "ops@example.com"], ["ops", "ops@example", "a@b.c, d@e.f"]),
    ],
)
def test_a_parameters_pattern_tells_right_from_wrong(
    template: Template, parameter: str, accepted: list[str], refused: list[str]
) -> None:
    pattern = re.compile(template["Parameters"][parameter]["AllowedPattern"])
    assert [value for value in accepted if not pattern.fullmatch(value)] == []
    assert [value for value in refused if pattern.fullmatch(value)] == []


def test_staging_outlives_a_run_and_the_time_in_which_it_can_be_redriven(
    template: Template,
) -> None:
    machine = json.loads((ROOT / "statemachine" / "trip_kpis.asl.json").read_text())
    days = machine["TimeoutSeconds"] / 86_400 + 14
    assert template["Parameters"]["StagingExpirationDays"]["MinValue"] > days


# -- what the functions are given ------------------------------------------------------------------


def test_every_function_knows_the_table_and_the_bucket(template: Template) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert variables == {
        "DYNAMODB_TABLE_NAME": {"Ref": "TableName"},
        "ATHENA_BUCKET_NAME": {
            "Fn::If": ["MakeBucket", {"Ref": "ResultsBucket"}, {"Ref": "BucketName"}]
        },
        "BUCKET_KMS_KEY_ARN": {"Ref": "BucketKmsKeyArn"},
        "STACK_NAME": {"Ref": "AWS::StackName"},
        # Declared for `sam local` alone: in AWS the variable is not there.
        "AWS_ENDPOINT_URL": {"Ref": "AWS::NoValue"},
    }


def test_each_function_is_reported_what_it_alone_decides(template: Template) -> None:
    reported = {
        logical_id: {
            name: value["Ref"]
            for name, value in properties.get("Environment", {}).get("Variables", {}).items()
        }
        for logical_id, properties in of_type(template, "AWS::Serverless::Function").items()
    }
    assert reported == VARIABLES


def test_every_variable_that_the_functions_read_is_handed_to_one(template: Template) -> None:
    source = (ROOT / "functions" / "trip_kpis" / "aws" / "settings.py").read_text()
    read = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', source))
    read |= {
        setting.variable for setting in SETTINGS if f"settings.{setting.field.upper()}" in source
    }
    reported = {name for variables in VARIABLES.values() for name in variables}
    assert read == reported | {
        "DYNAMODB_TABLE_NAME",
        "ATHENA_BUCKET_NAME",
        "BUCKET_KMS_KEY_ARN",
        "STACK_NAME",
    }


def test_sam_local_can_override_every_variable_of_its_file(template: Template) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    local = json.loads((ROOT / "events" / "env.local.json").read_text())["Parameters"]
    assert local.keys() <= variables.keys()


def test_there_is_a_target_to_build_for_each_architecture_and_runtime(template: Template) -> None:
    targets = "functions/packaging/targets/${Architecture}-${PythonRuntime}"
    for logical_id in of_type(template, "AWS::Serverless::Function"):
        metadata = template["Resources"][logical_id]["Metadata"]
        assert metadata == {"BuildMethod": "makefile", "WorkingDirectory": {"Fn::Sub": targets}}
    for architecture in template["Parameters"]["Architecture"]["AllowedValues"]:
        for runtime in template["Parameters"]["PythonRuntime"]["AllowedValues"]:
            named = targets.replace("${Architecture}", architecture)
            target = ROOT / named.replace("${PythonRuntime}", runtime) / "target.mk"
            settings = dict(re.findall(r"^(\w+) := (\S+)$", target.read_text(), re.MULTILINE))
            assert settings == {
                "ARCHITECTURE": architecture,
                "WHEEL_MACHINE": {"arm64": "aarch64", "x86_64": "x86_64"}[architecture],
                "PYTHON_VERSION": runtime.removeprefix("python"),
            }


# -- what the roles may do ------------------------------------------------------------------------


def statements(role: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements of a role, each with the condition that it is there under."""
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "Fn::If" in statement:
                condition, there, otherwise = statement["Fn::If"]
                assert otherwise == {"Ref": "AWS::NoValue"}
                yield f" if {condition}", there
            else:
                yield "", statement


def resource_text(resource: Any) -> str:
    """A resource ARN as text, with the parts that CloudFormation fills in."""
    match resource:
        case "*":
            return "*"
        case {"Fn::GetAtt": path}:
            return ".".join(path)
        case {"Ref": name}:
            return str(name)
        case {"Fn::Sub": [str(text), _] | str(text)}:
            return text
    raise AssertionError(f"{resource} is no resource ARN")


HERE = "${AWS::Region}:${AWS::AccountId}"
TABLE = "arn:${AWS::Partition}:dynamodb:" + HERE + ":table/${TableName}"
ELSEWHERE = "arn:${AWS::Partition}:s3:::${ExportBucketName}"


def permissions(role: dict[str, Any], log_group: str) -> set[tuple[str, str]]:
    """(action, what it may be done to) pairs; bucket keys without the bucket."""
    short = {
        "arn:${AWS::Partition}:logs:" + HERE + f":log-group:{log_group}:*": "<own log group>",
        TABLE: "<table>",
        f"{TABLE}/export/*": "<table>/export/*",
        ELSEWHERE: "<another bucket>",
        f"{ELSEWHERE}/*": "<another bucket>/*",
    }
    found = set()
    for condition, statement in statements(role):
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                text = resource_text(resource)
                reach = [
                    short.get(text, text.removeprefix("arn:${AWS::Partition}:s3:::${Bucket}/"))
                ]
                if action == "s3:ListBucket" and text != ELSEWHERE:
                    assert text == "arn:${AWS::Partition}:s3:::${Bucket}"
                    reach = as_list(statement["Condition"]["StringLike"]["s3:prefix"])
                if action.startswith("kms:"):
                    via = statement["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Sub"]
                    service = via.removesuffix(".${AWS::Region}.${AWS::URLSuffix}")
                    reach = [f"{text} by {service}"]
                found |= {(action + condition, one) for one in reach}
    return found


@pytest.mark.parametrize("role_name", PERMISSIONS)
def test_a_functions_role_may_do_what_the_function_does_and_no_more(
    template: Template, role_name: str
) -> None:
    stem = role_name.removesuffix("Role")
    role = of_type(template, "AWS::IAM::Role")[role_name]
    log_group = of_type(template, "AWS::Logs::LogGroup")[f"{stem}LogGroup"]["LogGroupName"][
        "Fn::Sub"
    ]
    function = of_type(template, "AWS::Serverless::Function")[f"{stem}Function"]
    assert function["Role"] == {"Fn::GetAtt": [role_name, "Arn"]}
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{stem}LogGroup"}}
    assert permissions(role, log_group) == PERMISSIONS[role_name]
    assert "ManagedPolicyArns" not in role


# Log deliveries and settings belong to the account; no resource can be named:
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


def test_no_role_may_do_anything_to_everything_but_deliver_logs_and_read_the_lambda_limit(
    template: Template,
) -> None:
    everything = set()
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for _, statement in statements(role):
            assert statement["Effect"] == "Allow"
            actions = as_list(statement["Action"])
            assert not [action for action in actions if "*" in action], name
            if statement["Resource"] == "*":
                everything |= {(name, action) for action in actions}
    assert everything == {
        ("PlanRunRole", "lambda:GetAccountSettings"),
        *(("TripKpisStateMachineRole", action) for action in LOG_DELIVERY),
    }


def test_the_state_machine_may_invoke_its_functions_export_and_handle_its_own_executions(
    template: Template,
) -> None:
    machine = template["Resources"]["TripKpisStateMachine"]["Properties"]
    assert machine["Role"] == {"Fn::GetAtt": ["TripKpisStateMachineRole", "Arn"]}
    name = machine["Name"]["Fn::Sub"]
    states = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
    role = of_type(template, "AWS::IAM::Role")["TripKpisStateMachineRole"]
    functions = {f"{one}.Arn" for one in of_type(template, "AWS::Serverless::Function")}
    executions, segments = (
        f"{states}:execution:{name}:*",
        f"{states}:execution:{name}/ScanSegments:*",
    )
    exports = "arn:${AWS::Partition}:s3:::${Bucket}/exports/run=*"
    assert {
        (action + condition, resource_text(resource))
        for condition, statement in statements(role)
        if statement["Resource"] != "*"
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    } == {("lambda:InvokeFunction", one) for one in functions} | {
        ("states:StartExecution", f"{states}:stateMachine:{name}")
    } | {
        (f"states:{action}Execution", one)
        for action in ("Describe", "Stop")
        for one in (executions, segments)
    } | {("states:RedriveExecution", segments)} | {
        ("dynamodb:ExportTableToPointInTime", TABLE),
        ("dynamodb:DescribeExport", f"{TABLE}/export/*"),
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
        ("s3:PutObject", exports),
        ("s3:PutObjectAcl", exports),
        ("s3:AbortMultipartUpload", exports),
        ("kms:Decrypt if BucketHasKey", "BucketKmsKeyArn"),
        ("kms:GenerateDataKey if BucketHasKey", "BucketKmsKeyArn"),
    }
