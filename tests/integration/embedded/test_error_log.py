"""An error of the embedded AWS itself is in a file, with its traceback, and not on the terminal."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.error import URLError
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from ops.embedded.error_log import NAME, errors_logged_to
from ops.embedded.server import serving


def broken(_application: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
        raise ValueError(f"no answer to {environ['PATH_INFO']}")

    return answer


def test_a_traceback_goes_to_the_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "logs" / NAME
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, errors_logged_to(file), serving(listener, broken):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/some/object"
        with pytest.raises((URLError, OSError)):
            urllib.request.urlopen(url)
    assert "ValueError: no answer to /some/object" in file.read_text()
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err


def test_without_an_error_there_is_no_file_and_an_earlier_one_is_gone(tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_text("of an earlier run")
    with errors_logged_to(file):
        assert not file.exists()
    assert not file.exists()
