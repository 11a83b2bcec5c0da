"""What AWS asks for in a role's name besides the requests of its code, as AWS documents it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ops.embedded.isolation import ACCOUNT_ID, REGION
from tests.iam.policies import Request

_HERE = f"{REGION}:{ACCOUNT_ID}"

_LOG_DELIVERY = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)
_KEY_ACTIONS = {
    "s3:GetObject": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
    "dynamodb:Scan": "kms:Decrypt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The customer-managed keys of what a stack uses."""

    bucket: str
    table: str
    exports_elsewhere: str

    def of(self, request: Request, *, exports_bucket: str) -> str:
        """The key that a request to DynamoDB or S3 takes."""
        if request.action.startswith("dynamodb:"):
            return self.table
        elsewhere = request.resource.startswith(f"arn:aws:s3:::{exports_bucket}/")
        return self.exports_elsewhere if elsewhere else self.bucket


def key_requests(
    requests: Iterable[Request], keys: Keys, *, exports_bucket: str
) -> Iterator[Request]:
    """What S3 and DynamoDB ask of the customer-managed keys, for these requests.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    """
    for request in requests:
        service = request.action.partition(":")[0]
        if action := _KEY_ACTIONS.get(request.action):
            yield Request(
                principal=request.principal,
                action=action,
                resource=keys.of(request, exports_bucket=exports_bucket),
                context={"kms:ViaService": f"{service}.{REGION}.amazonaws.com"},
            )


def standstill_request(role: str, bucket: str) -> Request:
    """What a worker writes that had no time for a page; none has here."""
    return Request(
        principal=role,
        action="s3:PutObject",
        resource=f"{bucket}/staging/run=a/standstill/segment=00000/part-00000.json",
        context={"aws:SecureTransport": "true", "s3:if-none-match": "*",
                 "s3:ObjectCreationOperation": "true"},
    )  # fmt: skip


def missing_object(role: str, bucket: str, key: str) -> Request:
    """What S3 asks of a role that wants an object that is not there: to one that may not list it,
    S3 does not say so.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    context = {"aws:SecureTransport": "true", "s3:prefix": key}
    return Request(principal=role, action="s3:ListBucket", resource=bucket, context=context)


def export_requests(role: str, bucket: str, key: str) -> Iterator[Request]:
    """What DynamoDB does for who starts an export, with a customer-managed key of the bucket if
    there is one.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    """
    encryption = {"s3:x-amz-server-side-encryption": "AES256"}
    if key:
        encryption = {
            "s3:x-amz-server-side-encryption": "aws:kms",
            "s3:x-amz-server-side-encryption-aws-kms-key-id": key,
        }
    data = f"{bucket}/exports/run=a/AWSDynamoDB/01693685827463-2d8752fd/data/a.json.gz"
    for action, context in (
        ("PutObject", {"s3:ObjectCreationOperation": "true", **encryption}),
        ("PutObjectAcl", {}),
        ("AbortMultipartUpload", {}),
    ):
        yield Request(
            principal=role,
            action=f"s3:{action}",
            resource=data,
            context={"aws:SecureTransport": "true", **context},
        )
    if key:
        through = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
        for action in ("Decrypt", "GenerateDataKey"):
            yield Request(principal=role, action=f"kms:{action}", resource=key, context=through)


def log_requests(role: str, log_group: str) -> Iterator[Request]:
    """What Lambda does for a function that logs.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    stream = f"arn:aws:logs:{_HERE}:log-group:{log_group}:log-stream:2024/06/01/[$LATEST]0f0e"
    for action in ("CreateLogStream", "PutLogEvents"):
        yield Request(principal=role, action=f"logs:{action}", resource=stream)


def state_machine_requests(role: str, state_machine: str) -> Iterator[Request]:
    """What Step Functions does for a Distributed Map, its redrive, and a machine that logs.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """
    executions = state_machine.replace(":stateMachine:", ":execution:")
    child = f"{executions}/ScanSegments:5f1d"
    yield Request(principal=role, action="states:StartExecution", resource=state_machine)
    for action in ("DescribeExecution", "StopExecution"):
        # The page names the machine's executions; a child's ARN has the Map's label as well.
        for execution in (f"{executions}:run-1", child):
            yield Request(principal=role, action=f"states:{action}", resource=execution)
    yield Request(principal=role, action="states:RedriveExecution", resource=child)
    for action in _LOG_DELIVERY:
        yield Request(principal=role, action=f"logs:{action}", resource="*")
