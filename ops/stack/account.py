"""The operator's AWS account: its clients, and messages for its errors."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

_CONFIG = Config(retries={"mode": "standard"}, connect_timeout=5, max_pool_connections=16)


class AccountError(Exception):
    """AWS cannot be asked, or refused to answer. The message says what to do."""


class SignInExpiredError(AccountError):
    """The session or the credentials of the operator have expired."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account, found as the aws CLI finds it: by profile and region, or from the environment
    (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …)."""

    profile: str | None = None
    region: str | None = None

    def client(self, service: str) -> Any:
        """Returns a boto3 client. Raises AccountError for a profile or a region that is missing."""
        with asking_aws(self, f"for a client of {service}"):
            return self._session.client(service, config=_CONFIG)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(profile_name=self.profile, region_name=self.region_name)

    @property
    def region_name(self) -> str | None:
        """Returns the region; None leaves it to botocore, which reads AWS_DEFAULT_REGION and the
        profile's region, but not AWS_REGION, as the aws CLI does."""
        return self.region or os.environ.get("AWS_REGION")

    @property
    def options(self) -> tuple[str, ...]:
        """Returns the options that name this account on the command line, for `ops` and for the aws
        CLI."""
        given = {"--profile": self.profile, "--region": self.region}
        return tuple(word for name, value in given.items() if value for word in (name, value))

    def how_to_sign_in(self, command: str = "aws sso login") -> str:
        """Says what to do when the session has expired; `command` begins a new one."""
        if self.profile is None and "AWS_ACCESS_KEY_ID" in os.environ:
            return "set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
        profile = self.profile or self._session.profile_name
        return f"sign in again:\n  {shlex.join([*command.split(), '--profile', profile])}"


@contextmanager
def asking_aws(account: Account, what: str) -> Iterator[None]:
    """Converts the errors of calls of a client of the account: `what` is asked for.

    Raises:
        SignInExpiredError: The session or the credentials have expired.
        AccountError: AWS cannot be reached, or answers with an error.
    """
    try:
        yield
    except ProfileNotFound as error:
        raise AccountError(
            f"{error}: name a profile of ~/.aws/config with --profile or AWS_PROFILE"
        ) from error
    except NoRegionError as error:
        raise AccountError(
            "no region is known: give --region, or set AWS_REGION, or a region in the profile"
        ) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise AccountError(
            f"asking AWS {what}: {error}: sign in as for the aws CLI (`aws sso login`, --profile, "
            "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
        ) from error
    except (SSOError, TokenRetrievalError) as error:
        raise SignInExpiredError(
            f"asking AWS {what}: {error}: {account.how_to_sign_in()}"
        ) from error
    except LoginError as error:
        raise SignInExpiredError(
            f"asking AWS {what}: {error}: {account.how_to_sign_in('aws login')}"
        ) from error
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        message = error.response["Error"].get("Message", "")
        if code.startswith("ExpiredToken") or code == "TokenRefreshRequired":
            raise SignInExpiredError(
                f"asking AWS {what}: {code}: {message}: {account.how_to_sign_in()}"
            ) from error
        raise AccountError(f"asking AWS {what}: {code}: {message}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise AccountError(
            f"asking AWS {what}: {error}. Check the address and the region: AWS_ENDPOINT_URL, "
            "--region and --profile"
        ) from error
