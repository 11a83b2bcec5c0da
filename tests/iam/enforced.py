"""The product's own stack in an embedded cloud that asks every role for its permissions."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json

from ops.embedded.iam_patches import whole
from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.local.local_stack import TABLE_NAME, LocalStack, Where, local_stack
from ops.local.run import execute
from ops.local.trip_files import Trips
from ops.runs.execution import EndedExecution
from tests.iam.policies import Document, Request
from tests.iam.requests_made import RequestsMade
from trip_kpis.core.layout import BREAKDOWNS, KPIS, LEASE, DayObjects

KEYS = {
    "BucketKmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/bucket",
    "TableKmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/table",
    "ExportBucketName": "exports-elsewhere",
    "ExportKmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/exports",
}
"""parameters of a stack whose bucket and table have customer-managed keys, and which may read the
exports in another bucket that has one, too"""

VANISHED = DayObjects().key("2020-02-29")
VANISHED_GROUPS = DayObjects("quote").key("2020-02-29")
"""a published day of which the table has no trip, and its groups"""
_DEFINITION = Path(__file__).with_name("broken_down.toml")

_DAYS = ("2024-05-01", "2024-05-02")


def _trips() -> Trips:
    """A few, of which one cannot be counted."""
    times = [f"{_DAYS[number % 2]} 10:00:00" for number in range(8)] + ["yesterday"]
    return Trips(
        hash_key="trip_id",
        sort_key=None,
        items={
            (f"t{number}",): {
                "trip_id": {"S": f"t{number}"},
                "pickup_datetime": {"S": time},
                "fare_amount": {"N": "12.5"},
                "estimated_fare_amount": {"N": "12"},
            }
            for number, time in enumerate(times)
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role of the stack, as it was deployed."""

    logical_id: str
    name: str
    path: str
    policies: Mapping[str, Document]

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT_ID}:role{self.path}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """The stack, up; what its roles ask for is noted."""

    local: LocalStack
    roles: Mapping[str, Role]
    export_elsewhere: str | None
    """ARN of an export of the table in another bucket, if the stack may read one"""
    _made: RequestsMade

    def run_all(self, name: str, *, segments: int = 1) -> list[EndedExecution]:
        """Everything that an execution can come to: a new run that quarantines a trip and finds a
        vanished day, the same one resumed with another read budget, resumed with the budget that it
        has then, one over an export that it starts, that one resumed, one over an export in another
        bucket if there is one, and an estimate. Ends with the first one that fails.
        """
        s3, bucket = self.local.cloud.client("s3"), self.local.stack.bucket_name
        # A run does not rewrite an unchanged day, and waits for the lease of a merge that failed.
        for key in (*self.keys(KPIS), *self.keys(BREAKDOWNS), LEASE):
            s3.delete_object(Bucket=bucket, Key=key)
        for key in (VANISHED, VANISHED_GROUPS):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
        outcomes = [execute(self.local, {"total_segments": segments}, name=name)]
        if outcomes[0].succeeded:
            exported = f"{name}-export"
            others: dict[str, dict[str, Any]] = {
                f"{name}-again": {"run_id": name, "read_units_per_second": 10**6},
                f"{name}-once-more": {"run_id": name},
                exported: {"source": "export"},
                f"{exported}-again": {"run_id": exported},
            }
            if self.export_elsewhere:
                others[f"{name}-elsewhere"] = {"export_arn": self.export_elsewhere}
            others[f"{name}-estimate"] = {"estimate_only": True}
            for other, given in others.items():
                if "run_id" not in given:
                    # Another run waits for the lease of a merge that could not release it.
                    s3.delete_object(Bucket=bucket, Key=LEASE)
                outcomes.append(execute(self.local, given, name=other))
                if not outcomes[-1].succeeded:
                    break
        return outcomes

    def keys(self, prefix: str) -> list[str]:
        client = self.local.cloud.client("s3")
        found = client.list_objects_v2(Bucket=self.local.stack.bucket_name, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", ())]

    def requests(self, role: Role) -> list[Request]:
        """What the role has asked for so far."""
        credentials = self.local.cloud.role_credentials(role.arn)
        return self._made.by(credentials["AWS_ACCESS_KEY_ID"], role.arn)

    def resource_policy(self, logical_id: str) -> Document:
        """The policy document of a resource that the embedded cloud has no emulation of, resolved
        as CloudFormation resolves the others.
        """
        return dict(self._resolved(logical_id)["Properties"]["PolicyDocument"])

    def trust_policy(self, role: Role) -> Document:
        return dict(self._resolved(role.logical_id)["Properties"]["AssumeRolePolicyDocument"])

    def log_groups(self) -> dict[str, str]:
        """By the ARN of the role whose function logs there."""
        functions = self.local.stack.functions.values()
        return {
            function.role_arn: self._resolved(function.logical_id)["Properties"]["LoggingConfig"][
                "LogGroup"
            ]
            for function in functions
        }

    def _resolved(self, logical_id: str) -> Any:
        stacks = cloudformation_backends[ACCOUNT_ID][REGION].stacks.values()
        (stack,) = (one for one in stacks if one.name == self.local.stack.name)
        resource = stack.template_dict["Resources"][logical_id]
        return whole(clean_json(resource, stack.resource_map))

    @contextmanager
    def changed(self, role: Role, policies: Mapping[str, Document]) -> Iterator[None]:
        """While this lasts, the role has these policies."""
        iam = self.local.cloud.client("iam")

        def put(documents: Mapping[str, Document]) -> None:
            for name, document in documents.items():
                iam.put_role_policy(
                    RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(document)
                )

        put(policies)
        try:
            yield
        finally:
            put(role.policies)


@contextmanager
def enforced_stack(parameters: Mapping[str, str]) -> Iterator[Enforced]:
    """The stack with these parameters, and a table of a few trips."""
    made = RequestsMade()
    with local_stack(
        _trips(),
        where=Where(middleware=made.layer),
        # One segment after the other: a worker process less for each takes half the time here.
        parameters={
            "KpiDefinition": str(_DEFINITION),
            "MaxRejectedShare": "0.5",
            "MaxConcurrency": "1",
            **parameters,
        },
        on_loaded=lambda _: None,
    ) as local:
        yield Enforced(
            local=local,
            roles=_roles(local),
            export_elsewhere=_export_elsewhere(local, local.stack.parameters["ExportBucketName"]),
            _made=made,
        )


def _export_elsewhere(local: LocalStack, bucket: str) -> str | None:
    """Exports the table to another bucket, as somebody else would; None without a bucket."""
    if not bucket:
        return None
    local.cloud.client("s3").create_bucket(Bucket=bucket)
    dynamodb = local.cloud.client("dynamodb")
    table = dynamodb.describe_table(TableName=TABLE_NAME)["Table"]["TableArn"]
    exported = dynamodb.export_table_to_point_in_time(TableArn=table, S3Bucket=bucket)
    return str(exported["ExportDescription"]["ExportArn"])


def _roles(local: LocalStack) -> dict[str, Role]:
    iam = local.cloud.client("iam")
    resources = local.cloud.client("cloudformation").list_stack_resources(
        StackName=local.stack.name
    )["StackResourceSummaries"]
    roles = {}
    for resource in resources:
        if resource["ResourceType"] == "AWS::IAM::Role":
            name = resource["PhysicalResourceId"]
            policies = {
                policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
            }
            logical_id = resource["LogicalResourceId"]
            path = iam.get_role(RoleName=name)["Role"]["Path"]
            roles[logical_id] = Role(logical_id=logical_id, name=name, path=path, policies=policies)
    return roles
