"""Keeps this process from reaching real AWS while the embedded cloud is up."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"

# Not anyone's: the account that moto uses by default, and keys that no
# account has. AWS would refuse them, should a request ever get there, and so would an embedded
# cloud.
DUMMY_CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKIAEMBEDDEDCLOUD000",
    "AWS_SECRET_ACCESS_KEY": "no-secret-in-the-embedded-cloud",
    "AWS_SESSION_TOKEN": "no-session-in-the-embedded-cloud",
}


def operator_credentials(access_key: str | None = None) -> Mapping[str, str]:
    """Returns the credentials of the operator who starts an embedded cloud, with this access key or
    a random one.

    The embedded cloud compares the access key's id and verifies no signature, so the id itself is
    what nobody else may know: 80 random bits, in the form of an id of AWS's.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    random_key = f"AKIA{base64.b32encode(secrets.token_bytes(10)).decode()}"
    return {**DUMMY_CREDENTIALS, "AWS_ACCESS_KEY_ID": access_key or random_key}


_PROXY_BYPASS = ("NO_PROXY", "no_proxy")


def client_environment(
    endpoint_url: str, credentials: Mapping[str, str] = DUMMY_CREDENTIALS
) -> dict[str, str]:
    """Returns the environment in which every AWS SDK and the aws CLI use `endpoint_url`, and
    nothing else.

    No profile, no config file, no instance metadata: what is not here is looked for nowhere else.
    """
    return {
        **credentials,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def isolated_from_aws(
    endpoint_url: str, credentials: Mapping[str, str] = DUMMY_CREDENTIALS
) -> Iterator[None]:
    """Replaces every AWS_* variable of this process by `client_environment`; restores them at the
    end.

    The emulator makes clients of its own in places that cannot be handed one, so handing out
    well-made clients is not enough: the process itself must have no way to AWS.
    """
    host = urlsplit(endpoint_url).hostname or ""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("AWS_", "BOTO_")):
            del os.environ[name]
    os.environ.update(client_environment(endpoint_url, credentials))
    for name in _PROXY_BYPASS:
        # A proxy that is right for the internet must not see what goes to this machine.
        kept = [part for part in before.get(name, "").split(",") if part]
        os.environ[name] = ",".join([*kept, "localhost", "127.0.0.1", host])
    try:
        yield
    finally:
        for name in list(os.environ):
            if name.startswith(("AWS_", "BOTO_")) or name in _PROXY_BYPASS:
                del os.environ[name]
        os.environ.update(
            {
                name: value
                for name, value in before.items()
                if name.startswith(("AWS_", "BOTO_")) or name in _PROXY_BYPASS
            }
        )
