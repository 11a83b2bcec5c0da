"""Raises a failed write to disk, which occurred in a thread of the embedded AWS, in the thread that
waits."""

import sys
import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_BODY = b"<Error><Code>InternalError</Code><Message>The disk cannot be written to</Message></Error>"


class WriteFailures:
    """A layer around the layers that write. It answers a request whose effect could not be stored
    with an error, so that no client takes it for done. It keeps the first failure."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: OSError | None = None

    def check(self) -> None:
        """Raises the first OSError of a write, if there was one: the run cannot continue."""
        with self._lock:
            if self._first is not None:
                raise self._first

    def layer(self, application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                return application(environ, start_response)
            except ConnectionError:
                raise  # the client's end of the connection, not the disk
            except OSError as error:
                with self._lock:
                    self._first = self._first or error
                headers = [("Content-Type", "application/xml")]
                start_response("500 Internal Server Error", headers, sys.exc_info())
                return [_BODY]

        return answer
