"""What the operator reads when a session has expired."""

from pathlib import Path

import pytest
from botocore.exceptions import (
    ClientError,
    LoginRefreshRequired,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from ops.stack.account import Account, SignInExpiredError, asking_aws

SSO = [
    UnauthorizedSSOTokenError(),
    SSOTokenLoadError(error_msg="there is none"),
    TokenRetrievalError(provider="sso", error_msg="it has expired"),
]
EXPIRED = [
    ClientError({"Error": {"Code": code, "Message": "it has expired"}}, "DescribeExecution")
    for code in ("ExpiredToken", "ExpiredTokenException")
]


@pytest.fixture(autouse=True)
def _profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\n[profile production]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def message(account: Account, error: Exception) -> str:
    with pytest.raises(SignInExpiredError) as raised, asking_aws(account, "about run r"):
        raise error
    return str(raised.value)


@pytest.mark.parametrize("error", [*SSO, *EXPIRED], ids=lambda error: type(error).__name__)
def test_an_expired_session_is_begun_anew_with_the_profile_in_use(error: Exception) -> None:
    said = message(Account(profile="production"), error)
    assert said.startswith("asking AWS about run r: ")
    assert said.endswith("\n  aws sso login --profile production")


def test_the_profile_in_use_may_be_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert message(Account(), SSO[0]).endswith("\n  aws sso login --profile default")
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert message(Account(), SSO[0]).endswith("\n  aws sso login --profile production")


def test_credentials_of_the_environment_belong_to_no_profile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    assert message(Account(), EXPIRED[0]).endswith("AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")
    assert "sso login" in message(Account(profile="production"), EXPIRED[0])


def test_a_session_of_aws_login_is_begun_anew_by_it() -> None:
    said = message(Account(profile="production"), LoginRefreshRequired())
    assert said.endswith("\n  aws login --profile production")
