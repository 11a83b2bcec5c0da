"""Clients of the embedded cloud, and their credentials."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from moto.sts.models import sts_backends

from ops.embedded.isolation import ACCOUNT_ID, REGION

# Lambda's own longest time limit, and room for what is around it.
_LONGEST_INVOCATION_SECONDS = 900 + 120
# As many invocations as a Map Run may have children at once on one machine, and some.
_CONNECTIONS = 1200


class Clients:
    """Makes boto3 clients of the cloud at `endpoint_url`; all of them are closed together.

    Where `roles_are_taken_on`, who acts in a role has credentials of its own; else everybody has
    the `operator`'s.
    """

    def __init__(
        self, endpoint_url: str, *, operator: Mapping[str, str], roles_are_taken_on: bool
    ) -> None:
        self._endpoint_url = endpoint_url
        self._operator = operator
        self._roles_are_taken_on = roles_are_taken_on
        self._made: list[Any] = []
        self._lock = threading.RLock()
        self._role_credentials: dict[str, Mapping[str, str]] = {}
        self._for_tasks: dict[tuple[str, str | None], Any] = {}
        self._of_callers: dict[tuple[str, str], Any] = {}

    def make(self, service: str, *, role_arn: str | None = None) -> Any:
        """Returns a client of the operator, or of the role. It is safe to use from several
        threads."""
        credentials = self._operator if role_arn is None else self.role_credentials(role_arn)
        return self._client(service, credentials)

    def _client(self, service: str, credentials: Mapping[str, str]) -> Any:
        session = boto3.Session(
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials["AWS_SESSION_TOKEN"],
            region_name=REGION,
        )
        config = Config(
            proxies={},
            max_pool_connections=_CONNECTIONS,
            read_timeout=_LONGEST_INVOCATION_SECONDS,
            # What fails here fails for a reason: a retry would only hide it, or run a function
            # twice.
            retries={"total_max_attempts": 1},
        )
        client = session.client(service, endpoint_url=self._endpoint_url, config=config)
        self._made.append(client)
        return client

    def role_credentials(self, role_arn: str) -> Mapping[str, str]:
        """Returns the environment variables of a process that has assumed the role, as Lambda gives
        them to a function. The same ones each time."""
        if not self._roles_are_taken_on:
            return self._operator
        with self._lock:
            if role_arn not in self._role_credentials:
                taken_on = self.make("sts").assume_role(RoleArn=role_arn, RoleSessionName="run")
                given = taken_on["Credentials"]
                self._role_credentials[role_arn] = {
                    "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
                    "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                    "AWS_SESSION_TOKEN": given["SessionToken"],
                }
            return self._role_credentials[role_arn]

    def for_tasks(self, service: str, role_arn: str | None) -> Any:
        """Returns the one client of all tasks of state machines with this role."""
        with self._lock:
            if (service, role_arn) not in self._for_tasks:
                self._for_tasks[service, role_arn] = self.make(service, role_arn=role_arn)
            return self._for_tasks[service, role_arn]

    def of_caller(self, service: str, access_key: str) -> Any:
        """Returns the one client with the credentials of this access key: the operator's, or those
        of an assumed role. It makes requests in the caller's name."""
        with self._lock:
            if (service, access_key) not in self._of_callers:
                credentials = self._credentials(access_key)
                self._of_callers[service, access_key] = self._client(service, credentials)
            return self._of_callers[service, access_key]

    def _credentials(self, access_key: str) -> Mapping[str, str]:
        backend: Any = sts_backends[ACCOUNT_ID]["aws"]
        role = backend.get_assumed_role_from_access_key(access_key)
        if role is None:
            return self._operator
        return {
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token,
        }

    def close(self) -> None:
        while self._made:
            self._made.pop().close()
