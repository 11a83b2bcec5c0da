"""The embedded cloud's HTTP server: moto's application, in threads, with room for one layer around
it.
"""

from __future__ import annotations

import logging
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from wsgiref.types import WSGIApplication

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

Middleware = Callable[[WSGIApplication], WSGIApplication]
"""Adds a layer around the server's application; it is called from many threads at the same time."""


def layered(*layers: Middleware | None) -> Middleware:
    """Combines layers, the first outermost; None is no layer."""

    def around(application: WSGIApplication) -> WSGIApplication:
        for layer in reversed(layers):
            if layer is not None:
                application = layer(application)
        return application

    return around


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc,unused-ignore]
    """Finds the service of a request once for each host, not for each request.

    moto lists its own directory and tries some two hundred patterns, under a lock, every time.
    """

    def __init__(self, create_app: Any) -> None:
        super().__init__(create_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


def _log_error(_request: Any, client_address: Any) -> None:
    """Logs the error that ends a request's thread, which socketserver would print."""
    logging.getLogger("werkzeug").exception("Error on a request from %s", client_address)


@contextmanager
def serving(listener: socket.socket, middleware: Middleware | None = None) -> Iterator[None]:
    """Answers requests on the listener, in threads, through the middleware if there is one."""
    host, port = listener.getsockname()[:2]
    application: WSGIApplication = _Dispatcher(create_backend_app)
    if middleware is not None:
        application = middleware(application)
    server: BaseWSGIServer = make_server(
        host,
        port,
        application,
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    # Clients keep their connections open, and each has a thread here that would go on answering.
    connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()
    process_request = server.process_request

    def process_and_remember(request: Any, client_address: Any) -> None:
        connections.add(request)
        process_request(request, client_address)

    server.process_request = process_and_remember  # type: ignore[method-assign]
    server.handle_error = _log_error  # type: ignore[method-assign,assignment]
    thread = threading.Thread(
        target=server.serve_forever,
        kwargs={"poll_interval": 0.05},
        name="embedded-cloud",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in list(connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
