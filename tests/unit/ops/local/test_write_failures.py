"""A write that fails ends the run; a client that goes away does not."""

import errno
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import pytest

from ops.local.write_failures import WriteFailures


def failing(failure: OSError) -> WSGIApplication:
    def answer(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
        raise failure

    return answer


def status_of(application: WSGIApplication) -> str:
    environ: WSGIEnvironment = {}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    application(environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
    return statuses[-1]


def test_a_write_that_fails_is_answered_with_an_error_and_the_first_is_kept() -> None:
    writes = WriteFailures()
    full = OSError(errno.ENOSPC, "No space left on device")
    for failure in (full, OSError(errno.EROFS, "Read-only file system")):
        assert status_of(writes.layer(failing(failure))).startswith("500")
    with pytest.raises(OSError, match="No space left") as raised:
        writes.check()
    assert raised.value is full


@pytest.mark.parametrize("failure", [ConnectionResetError(), BrokenPipeError()])
def test_a_client_that_goes_away_is_no_failed_write(failure: ConnectionError) -> None:
    writes = WriteFailures()
    with pytest.raises(type(failure)):
        status_of(writes.layer(failing(failure)))
    writes.check()
