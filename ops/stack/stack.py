"""Finds a stack by its name: what CloudFormation says about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from botocore.exceptions import ClientError

from ops.runs.next_steps import is_on_this_machine
from ops.runs.storage import Bucket
from ops.stack.account import Account, AccountError, asking_aws


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack: its state machine, its bucket and its parameters."""

    name: str
    account: Account
    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    """parameters with which it is deployed"""

    @property
    def state_machine_arn(self) -> str:
        return self.outputs["StateMachineArn"]

    @property
    def bucket_name(self) -> str:
        return self.outputs["ResultsBucketName"]

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def bucket(self) -> Bucket:
        """Returns the bucket to which runs write. Raises AccountError."""
        return Bucket(self.client("s3"), self.bucket_name)

    @property
    def options(self) -> tuple[str, ...]:
        """Returns the options that name this stack on the command line, for the commands that
        messages suggest."""
        return ("--stack", self.name, *self.account.options)

    @property
    def is_embedded(self) -> bool:
        """Returns whether `ops serve` runs it, and not an account."""
        return is_on_this_machine(self.client("cloudformation").meta.endpoint_url)

    @classmethod
    def named(cls, name: str, account: Account) -> Self:
        """Finds the stack; raises AccountError if there is none with this name, or if it belongs to
        another template."""
        client = account.client("cloudformation")
        with asking_aws(account, f"for the stack {name}"):
            try:
                stack = client.describe_stacks(StackName=name)["Stacks"][0]
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":
                    raise
                raise AccountError(
                    f"there is no stack {name} in {client.meta.region_name}: name one that was "
                    "deployed (`aws cloudformation list-stacks` lists them), or another --region "
                    "or --profile"
                ) from error
        outputs = {out["OutputKey"]: out["OutputValue"] for out in stack.get("Outputs", ())}
        if not {"StateMachineArn", "ResultsBucketName"} <= outputs.keys():
            raise AccountError(
                f"the stack {name} has no outputs StateMachineArn and ResultsBucketName (its "
                f"status is {stack.get('StackStatus')}): name a stack of this template that was "
                "deployed, as `sam deploy` lists it"
            )
        parameters = {
            one["ParameterKey"]: one.get("ParameterValue", "")
            for one in stack.get("Parameters", ())
        }
        return cls(name=name, account=account, outputs=outputs, parameters=parameters)
