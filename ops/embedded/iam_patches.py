"""Patches of moto's IAM, one function each, as in `moto_patches`: with them, whoever has taken on a
role may do here what the role's own policies allow, and nothing else.

What moto still does not look at: conditions, and the bucket's policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from moto.awslambda.responses import LambdaResponse
from moto.core import authorization
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler
from moto.iam.access_control import IAMRequest, IAMRequestBase
from moto.iam.models import Role

from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.embedded.patching import replaced

_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}
"""calls of a run whose action has another name than the call
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html"""


@contextmanager
def enforced_iam(operators_access_key: str) -> Iterator[None]:
    """Applies all patches of this module, and removes them at the end."""
    with (
        authorization.enable_iam_authentication(),
        a_stacks_roles_have_their_policies(),
        the_operator_may_do_everything(operators_access_key),
        requests_are_about_a_resource(),
        actions_are_named_as_in_policies(),
        refusals_are_in_json(),
    ):
        yield


@contextmanager
def a_stacks_roles_have_their_policies() -> Iterator[None]:
    """CloudFormation: moto keeps a role's inline policies as objects, where PutRolePolicy keeps
    text, and keeps null where `AWS::NoValue` removed a statement. It then fails on them."""
    put: Any = vars(Role)["put_policy"]

    def put_as_text(self: Any, policy_name: str, policy: Any) -> None:
        put(self, policy_name, policy if isinstance(policy, str) else json.dumps(whole(policy)))

    with replaced(Role, "put_policy", put_as_text):
        yield


@contextmanager
def the_operator_may_do_everything(access_key: str) -> Iterator[None]:
    """moto knows users and roles; the operator's keys belong to neither, so moto would refuse them.

    They are the keys of the person who deploys, fills the table, and follows the run.
    """
    authorize: Any = ActionAuthenticatorMixin._authenticate_and_authorize_action
    operator = f"Credential={access_key}/"

    def authorize_others(self: Any, iam_request_cls: Any, resource: str = "*") -> None:
        if operator not in self.headers.get("Authorization", ""):
            authorize(self, iam_request_cls, resource)

    with replaced(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", authorize_others):
        yield


@contextmanager
def requests_are_about_a_resource() -> Iterator[None]:
    """DynamoDB, Lambda: moto asks whether the action is allowed on the resource `*`, so that only a
    policy for all tables and all functions would do.

    AWS asks for the table and the function that the request is about.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    """
    authorize: Any = ActionAuthenticatorMixin._authenticate_and_authorize_normal_action

    def authorize_for_resource(self: Any, resource: str = "*") -> None:
        authorize(self, _resource(self) or resource)

    with replaced(
        ActionAuthenticatorMixin,
        "_authenticate_and_authorize_normal_action",
        authorize_for_resource,
    ):
        yield


@contextmanager
def actions_are_named_as_in_policies() -> Iterator[None]:
    """Lambda: moto asks for `lambda:Invoke`, after the call.

    The action in a policy is `lambda:InvokeFunction`.
    """
    check: Any = IAMRequestBase.check_action_permitted

    def check_action(self: Any, resource: str) -> None:
        self._action = _ACTIONS.get(self._action, self._action)
        check(self, resource)

    with replaced(IAMRequestBase, "check_action_permitted", check_action):
        yield


@contextmanager
def refusals_are_in_json() -> Iterator[None]:
    """DynamoDB, Lambda: moto refuses in XML, which their clients cannot read: they say "403".

    AWS refuses in JSON, as everything else that these services say.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """

    def raise_access_denied(self: Any) -> None:
        refusal = JsonRESTError(
            "AccessDeniedException",
            f"User: {self._access_key.arn} is not authorized to perform: {self._action}",
        )
        refusal.code = 400 if self._service == "dynamodb" else 403
        raise refusal

    with replaced(IAMRequest, "_raise_access_denied", raise_access_denied):
        yield


def _resource(response: Any) -> str | None:
    """Returns the ARN of the resource that the request is about, for the services that a run calls
    besides S3."""
    match response:
        case DynamoHandler():
            return _table_or_export(response.body)
        case LambdaResponse() if response.path.endswith("/invocations"):
            named = unquote(response.path.split("/")[-2]).rpartition(":")[2]
            return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{named}"
    return None


def _table_or_export(asked: Mapping[str, Any]) -> str | None:
    if arn := asked.get("ExportArn") or asked.get("TableArn"):
        return str(arn)
    if name := asked.get("TableName"):
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{name}"
    return None


def whole(part: Any) -> Any:
    """Returns what moto has resolved, without the nulls where `AWS::NoValue` removed something."""
    if isinstance(part, list):
        return [whole(one) for one in part if one is not None]
    if isinstance(part, dict):
        return {name: whole(value) for name, value in part.items() if value is not None}
    return part
