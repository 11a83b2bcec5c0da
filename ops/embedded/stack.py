"""Deploys the project's own SAM template into the embedded cloud, as `sam deploy` deploys it into
AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto.cloudformation.parsing import resource_class_from_type

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.errors import DeploymentError
from ops.embedded.template import complete_parameters, load_template, translate

_ARTIFACTS_BUCKET = "deployment-artifacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """A deployed Lambda function. `environment` is what the template says, resolved."""

    logical_id: str
    name: str
    handler: str
    runtime: str
    environment: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int
    code_path: Path
    log_group: str
    role_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedStack:
    """The result of a deployment.

    `bucket_name` is the bucket that the functions write to (ATHENA_BUCKET_NAME), empty
    if they are given none. `left_out` names the resources that the embedded cloud has no emulation
    of, as "LogicalId (type)": they are not there, and nothing else says so.
    """

    name: str
    state_machine_arn: str
    bucket_name: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    functions: Mapping[str, DeployedFunction]
    left_out: tuple[str, ...]


def deploy(
    cloud: EmbeddedCloud,
    template_path: Path,
    stack_name: str,
    parameters: Mapping[str, str],
) -> DeployedStack:
    """Translates the SAM template, with the files that it names, and creates the stack by
    CloudFormation.

    Intrinsic functions, conditions and parameters are CloudFormation's to resolve. Template and
    definition are read anew each time. A function's code is used where its CodeUri says, and not
    copied. Raises DeploymentError, in one line, if anything in template, parameters or files is
    wrong.
    """
    template = load_template(template_path)
    values = complete_parameters(template, parameters)
    translation = translate(
        template,
        directory=template_path.resolve().parent,
        bucket=_ARTIFACTS_BUCKET,
        parameters=values,
    )
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=_ARTIFACTS_BUCKET)
    for key, body in translation.artifacts.items():
        s3.put_object(Bucket=_ARTIFACTS_BUCKET, Key=key, Body=body)
    cloudformation = cloud.client("cloudformation")
    with _refusals_in_one_line(stack_name):
        cloudformation.create_stack(
            StackName=stack_name,
            TemplateBody=json.dumps(translation.template),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        reason = stack.get("StackStatusReason", "it gives no reason")
        raise DeploymentError(f"The stack {stack_name} is {stack['StackStatus']}: {reason}")
    resources = cloudformation.list_stack_resources(StackName=stack_name)["StackResourceSummaries"]
    functions = _functions(cloud, resources, translation.code_paths)
    return DeployedStack(
        name=stack_name,
        state_machine_arn=_state_machine(resources),
        bucket_name=_bucket(functions),
        parameters=values,
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        functions=functions,
        left_out=_left_out(translation.template),
    )


def _functions(
    cloud: EmbeddedCloud, resources: list[Any], code_paths: Mapping[str, Path]
) -> dict[str, DeployedFunction]:
    functions = {}
    client = cloud.client("lambda")
    for resource in resources:
        if resource["ResourceType"] != "AWS::Lambda::Function":
            continue
        logical_id, name = resource["LogicalResourceId"], resource["PhysicalResourceId"]
        found = client.get_function_configuration(FunctionName=name)
        variables = found.get("Environment", {}).get("Variables", {})
        functions[logical_id] = DeployedFunction(
            logical_id=logical_id,
            name=name,
            handler=found["Handler"],
            runtime=found["Runtime"],
            environment={key: str(value) for key, value in variables.items()},
            timeout_seconds=float(found["Timeout"]),
            memory_mb=int(found["MemorySize"]),
            code_path=code_paths[logical_id],
            log_group=found.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}"),
            role_arn=found["Role"],
        )
    return functions


def _state_machine(resources: list[Any]) -> str:
    arns = [
        resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::StepFunctions::StateMachine"
    ]
    if len(arns) != 1:
        raise DeploymentError(f"The template must have one state machine; it has {len(arns)}.")
    return str(arns[0])


def _bucket(functions: Mapping[str, DeployedFunction]) -> str:
    named = {function.environment.get("ATHENA_BUCKET_NAME", "") for function in functions.values()}
    if len(named - {""}) > 1:
        raise DeploymentError(f"The functions are given different buckets: {sorted(named)}.")
    return max(named, default="")


def _left_out(template: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{logical_id} ({resource['Type']})"
        for logical_id, resource in template["Resources"].items()
        if resource_class_from_type(resource["Type"]) is None
    )


@contextmanager
def _refusals_in_one_line(stack_name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        message = error.response["Error"].get("Message") or str(error)
        raise DeploymentError(f"The stack {stack_name} cannot be created: {message}") from error
    except ResponseParserError as error:
        # Not refused: CloudFormation broke off with a page of HTML, and said why on standard error.
        raise DeploymentError(
            f"The stack {stack_name} cannot be created: the embedded CloudFormation failed on it."
        ) from error
