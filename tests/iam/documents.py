"""A deployed stack's policies as documents, and what its roles ask for in a run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.iam.documented import (
    Keys,
    export_requests,
    key_requests,
    log_requests,
    missing_object,
    standstill_request,
    state_machine_requests,
)
from tests.iam.enforced import Enforced, Role, enforced_stack
from tests.iam.policies import Document, Request, allows, statements

MACHINE_ROLE, SCHEDULE_ROLE = "TripKpisStateMachineRole", "TripKpisScheduleRole"
TLS = {"aws:SecureTransport": "true"}
READ_EXPORTS = ("PlanRunRole", "ScanSegmentRole")
MAY_BE_MISSING = {
    "PlanRunRole": ("staging/run=a/export.json", "exports/theirs/manifest-summary.json"),
    "ScanSegmentRole": ("exports/theirs/data/a.json.gz",),
    "MergePartialsRole": ("lease/publish.json",),  # another merge has just released it
}
"""what a role asks for that may not be there, and is there in the runs"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack's documents, and what its roles ask for in a run."""

    roles: Mapping[str, Role]
    requests: Mapping[str, list[Request]]
    """by the role's logical id"""
    trust: Mapping[str, Document]
    bucket: str
    bucket_policy: Document
    topic_policy: Document
    rules: tuple[str, ...]
    """ARNs of the rules that tell of a run's end"""

    def allows(self, request: Request, policies: Mapping[str, Document]) -> bool:
        about_bucket = request.resource.startswith(f"arn:aws:s3:::{self.bucket}")
        return allows(
            request,
            identity=[*policies.values()],
            resource=[self.bucket_policy] if about_bucket else [],
        )

    def all_allowed(self, role: str, policies: Mapping[str, Document]) -> bool:
        """Everything that the role asks for in a run, if these were its policies?"""
        return all(self.allows(request, policies) for request in self.requests[role])

    @property
    def topic(self) -> str:
        (topic,) = {statement["Resource"] for statement in statements(self.topic_policy)}
        return str(topic)

    def may(self, role: str, action: str, resource: str, context: Mapping[str, str] = TLS) -> bool:
        """`{bucket}` in the resource is the stack's."""
        asked = Request(
            principal=self.roles[role].arn,
            action=action,
            resource=resource.format(bucket=self.bucket),
            context=context,
        )
        return self.allows(asked, self.roles[role].policies)


def recorded(parameters: Mapping[str, str]) -> Stack:
    """Of a stack with these parameters: runs of it over the table and over exports, and an
    estimate."""
    with enforced_stack(parameters) as up:
        outcomes = up.run_all("recorded")
        assert all(outcome.succeeded for outcome in outcomes), outcomes
        return Stack(
            roles=up.roles,
            requests={name: [*_requests(up, role)] for name, role in up.roles.items()},
            trust={name: up.trust_policy(role) for name, role in up.roles.items()},
            bucket=up.local.stack.bucket_name,
            bucket_policy=up.resource_policy("ResultsBucketPolicy"),
            topic_policy=up.resource_policy("NotificationTopicPolicy"),
            rules=tuple(
                rule["Arn"] for rule in up.local.cloud.client("events").list_rules()["Rules"]
            ),
        )


def _requests(up: Enforced, role: Role) -> Iterator[Request]:
    made = up.requests(role)
    yield from made
    deployed, parameters = up.local.stack, up.local.stack.parameters
    if parameters["BucketKmsKeyArn"]:
        keys = Keys(
            bucket=parameters["BucketKmsKeyArn"],
            table=parameters["TableKmsKeyArn"],
            exports_elsewhere=parameters["ExportKmsKeyArn"],
        )
        yield from key_requests(made, keys, exports_bucket=parameters["ExportBucketName"])
    if log_group := up.log_groups().get(role.arn):
        yield from log_requests(role.arn, log_group)
    bucket = f"arn:aws:s3:::{deployed.bucket_name}"
    if role.logical_id == "ScanSegmentRole":
        yield standstill_request(role.arn, bucket)
    for key in MAY_BE_MISSING.get(role.logical_id, ()):
        yield missing_object(role.arn, bucket, key)
    if role.logical_id in READ_EXPORTS and (elsewhere := parameters["ExportBucketName"]):
        yield missing_object(role.arn, f"arn:aws:s3:::{elsewhere}", "theirs/manifest-summary.json")
    if role.logical_id == MACHINE_ROLE:
        yield from state_machine_requests(role.arn, deployed.state_machine_arn)
        yield from export_requests(role.arn, bucket, parameters["BucketKmsKeyArn"])
    if role.logical_id == SCHEDULE_ROLE:
        yield Request(
            principal=role.arn,
            action="states:StartExecution",
            resource=deployed.state_machine_arn,
        )
