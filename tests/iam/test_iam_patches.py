"""Why each patch of IAM is there: what moto does without it, and what AWS does, with it."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.embedded import iam_patches
from ops.embedded.cloud import EmbeddedCloud

ACCOUNT = f"{EmbeddedCloud.region}:{EmbeddedCloud.account_id}"
TRIPS = f"arn:aws:dynamodb:{ACCOUNT}:table/trips"
WORK = f"arn:aws:lambda:{ACCOUNT}:function:work"
DENIED = "AccessDeniedException"

Without = Callable[[str], None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Without:
    """Leaves out the patch of that name in the clouds that this test starts."""

    def leave_out(patch: str) -> None:
        assert hasattr(iam_patches, patch)
        monkeypatch.setattr(iam_patches, patch, nullcontext)

    return leave_out


@pytest.fixture(scope="module")
def enforcing() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud(enforce_iam=True) as cloud:
        make_tables(cloud)
        make_functions(cloud)
        yield cloud


def make_role(cloud: EmbeddedCloud, action: str, resource: str) -> str:
    """A stack's role that may do this one thing; its second statement is taken away."""
    name = f"worker-{uuid.uuid4().hex}"
    allowed = {"Effect": "Allow", "Action": action, "Resource": resource}
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["yes", "no"]}},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": name,
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                    "Policies": [
                        {
                            "PolicyName": "work",
                            "PolicyDocument": {
                                "Version": "2012-10-17",
                                "Statement": [
                                    allowed,
                                    {"Fn::If": ["Never", allowed, {"Ref": "AWS::NoValue"}]},
                                ],
                            },
                        }
                    ],
                },
            }
        },
    }
    cloud.client("cloudformation").create_stack(
        StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    return f"arn:aws:iam::{cloud.account_id}:role/{name}"


def make_tables(cloud: EmbeddedCloud) -> None:
    for name in ("trips", "others"):
        cloud.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "trip_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "trip_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def make_functions(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, "logs:PutLogEvents", "*")
    for name in ("work", "others"):
        cloud.client("lambda").create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.13",
            Handler="work.handler",
            Code={"ZipFile": b"none"},
        )


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def test_moto_refuses_the_operator(without: Without) -> None:
    without("the_operator_may_do_everything")
    with EmbeddedCloud(enforce_iam=True) as cloud:
        assert refusal(cloud.client("s3").list_buckets) == "InvalidAccessKeyId"


def test_moto_fails_on_the_policies_of_a_stacks_role(without: Without) -> None:
    without("a_stacks_roles_have_their_policies")
    with EmbeddedCloud(enforce_iam=True) as cloud:
        make_tables(cloud)
        role = make_role(cloud, "dynamodb:DescribeTable", TRIPS)
        client = cloud.client("dynamodb", role_arn=role)
        assert refusal(lambda: client.describe_table(TableName="trips")) == "500"


def test_moto_knows_no_table(without: Without) -> None:
    without("requests_are_about_a_resource")
    with EmbeddedCloud(enforce_iam=True) as cloud:
        make_tables(cloud)
        role = make_role(cloud, "dynamodb:DescribeTable", TRIPS)
        client = cloud.client("dynamodb", role_arn=role)
        assert refusal(lambda: client.describe_table(TableName="trips")) == DENIED


def test_moto_knows_no_invoke_function(without: Without) -> None:
    without("actions_are_named_as_in_policies")
    with EmbeddedCloud(enforce_iam=True) as cloud:
        role = make_role(cloud, "lambda:InvokeFunction", WORK)
        make_functions(cloud)
        client = cloud.client("lambda", role_arn=role)
        assert refusal(lambda: client.invoke(FunctionName="work", Payload=b"{}")) == DENIED


def test_moto_refuses_in_xml(without: Without) -> None:
    without("refusals_are_in_json")
    with EmbeddedCloud(enforce_iam=True) as cloud:
        role = make_role(cloud, "dynamodb:DescribeTable", TRIPS)
        client = cloud.client("dynamodb", role_arn=role)
        assert refusal(lambda: client.describe_table(TableName="others")) == "403"


def test_only_an_enforcing_cloud_gives_roles_credentials_of_their_own() -> None:
    with EmbeddedCloud() as cloud:
        make_tables(cloud)
        role = make_role(cloud, "dynamodb:DescribeTable", "*")
        own = cloud.environment()
        assert cloud.role_credentials(role).items() <= own.items()
        assert cloud.client("dynamodb", role_arn=role).scan(TableName="trips")["Count"] == 0


def test_a_role_may_do_with_a_table_what_its_policy_allows(enforcing: EmbeddedCloud) -> None:
    role = make_role(enforcing, "dynamodb:DescribeTable", TRIPS)
    client = enforcing.client("dynamodb", role_arn=role)
    assert client.describe_table(TableName="trips")["Table"]["TableName"] == "trips"
    assert refusal(lambda: client.describe_table(TableName="others")) == DENIED
    assert refusal(lambda: client.scan(TableName="trips")) == DENIED


@pytest.mark.parametrize("name", ["work", WORK])
def test_a_role_may_invoke_the_function_that_its_policy_names(
    enforcing: EmbeddedCloud, name: str
) -> None:
    role = make_role(enforcing, "lambda:InvokeFunction", WORK)
    client = enforcing.client("lambda", role_arn=role)
    with enforcing.lambda_tasks_run_by(lambda function, payload: (b"3", None, b"")):
        assert client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read() == b"3"
    assert refusal(lambda: client.invoke(FunctionName="others", Payload=b"{}")) == DENIED


def test_a_role_may_do_with_an_object_what_its_policy_allows(enforcing: EmbeddedCloud) -> None:
    role = make_role(enforcing, "s3:PutObject", "arn:aws:s3:::bucket/staging/run=*")
    enforcing.client("s3").create_bucket(Bucket="bucket")
    client = enforcing.client("s3", role_arn=role)
    client.put_object(Bucket="bucket", Key="staging/run=a/b", Body=b"")
    assert refusal(lambda: client.put_object(Bucket="bucket", Key="kpis/a")) == "AccessDenied"
    assert (
        refusal(lambda: client.get_object(Bucket="bucket", Key="staging/run=a/b")) == "AccessDenied"
    )
