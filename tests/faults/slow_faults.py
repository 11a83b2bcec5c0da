"""Faults between real worker processes and the embedded cloud: a layer around its server.

What happens to a request depends on what is asked and on how often it was asked before (see
`script`): the order in which processes happen to ask plays no part in it.
"""

import io
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.faults import store, table
from tests.faults.faults import Fault
from tests.faults.http_calls import Answer
from tests.faults.script import Drawn, Script
from tests.faults.slow_answers import broken, hang_up, is_s3, question, send

_SLOT = re.compile(r"slot-[0-9]+")
_HANGS_SECONDS = 6.0
"""longer than any invocation of this form lasts"""
_PAGE_SECONDS = 0.03
_RATES = (0.03, 0.08, 0.16)
_ANYWHERE = (
    Fault.KILLED_BEFORE,
    Fault.KILLED_AFTER,
    Fault.ERROR_500,
    Fault.ERROR_503,
    Fault.CUT,
    Fault.ANSWER_LOST,
)
_OF_A_SCAN = (
    Fault.PROVISIONED_THROUGHPUT,
    Fault.THROTTLING,
    Fault.BODY_CUT,
    Fault.BODY_BROKEN,
    Fault.HANGS,
)
_OF_A_PUT = (Fault.SLOW_DOWN, Fault.DELAYED, Fault.DELAYED)
_OF_A_GET = (Fault.SLOW_DOWN, Fault.BODY_CUT, Fault.BODY_BROKEN)
_OF_A_PIECE = (*_OF_A_GET, Fault.HANGS)
_OUTAGES = (
    (r"Scan 0 ", Fault.KILLED_BEFORE),
    (r"Scan 0 ", Fault.KILLED_AFTER),
    (r"PUT .*/segment=00000/part-", Fault.UPLOAD_BROKEN),
    (r"PUT .*/kpis/", Fault.KILLED_BEFORE),
    (r"PUT .*/kpis/", Fault.UPLOAD_BROKEN),
    (r"PUT .*/runs/", Fault.KILLED_AFTER),
)
_OUTAGES_OF_EXPORTS = (
    (r"GET .*/data/0", Fault.KILLED_BEFORE),
    (r"GET .*/data/1.* bytes=[1-9]", Fault.KILLED_AFTER),
    (r"GET .*/manifest-files", Fault.KILLED_AFTER),
    (r"PUT .*/export\.json", Fault.KILLED_AFTER),
    *_OUTAGES[2:],
)
"""What, in some schedules, befalls every request of a kind, so that the run fails."""
_OUTAGE_RATE = 0.4
_REFUSALS: dict[Fault, tuple[int, str, str]] = {
    Fault.ERROR_500: (500, "InternalServerError", "InternalError"),
    Fault.ERROR_503: (503, "ServiceUnavailable", "ServiceUnavailable"),
    Fault.SLOW_DOWN: (503, "", "SlowDown"),
    Fault.UPLOAD_BROKEN: (400, "", "BadDigest"),
    Fault.PROVISIONED_THROUGHPUT: (400, "ProvisionedThroughputExceededException", ""),
    Fault.THROTTLING: (400, "ThrottlingException", ""),
}


class FaultyServer:
    """The layer. Only requests of worker processes can come to harm, and only while `begin` has
    been called and `end` has not."""

    def __init__(self) -> None:
        self.kill: Callable[[str], None] = lambda _slot: None
        """kills the process of a slot"""
        self.pages = 0
        """that workers have scanned"""
        self.written: Counter[str] = Counter()
        """how often a path was written with success, in the order of their first times"""
        self.counts: Counter[Fault] = Counter()
        self._lock = threading.Lock()
        self._script: Script | None = None
        self._rate = 0.0
        self._outage: tuple[str, Fault] | None = None
        self._delayed: list[Callable[[], None]] = []
        self._over = threading.Event()

    def begin(self, script: Script, rng: random.Random, *, of_export: bool) -> None:
        """From now on, faults of this script's; `rng` is its execution's."""
        self._script, self._rate = script, rng.choice(_RATES)
        outages = _OUTAGES_OF_EXPORTS if of_export else _OUTAGES
        self._outage = rng.choice(outages) if rng.random() < _OUTAGE_RATE else None
        self._over.clear()

    def end(self) -> None:
        """No more of them."""
        self._script = None
        self._over.set()

    def let_through(self) -> None:
        """Delayed writes take effect now."""
        with self._lock:
            late, self._delayed = self._delayed, []
        for write in late:
            write()

    def happened(self, fault: Fault) -> None:
        with self._lock:
            self.counts[fault] += 1

    def layer(self, application: WSGIApplication) -> WSGIApplication:
        """The middleware."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            slot = environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
            if not _SLOT.fullmatch(slot):
                return application(environ, start_response)
            return self._answer(application, environ, start_response, slot)

        return answer

    def _answer(
        self,
        application: WSGIApplication,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        slot: str,
    ) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ.get("HTTP_TRANSFER_ENCODING") == "chunked":
            body = environ["wsgi.input"].read()
        fault = self._drawn(environ, body)
        if fault is not None:
            self.happened(fault)
        connection: socket.socket = environ["werkzeug.socket"]
        if fault in _REFUSALS:
            status, of_dynamodb, of_s3 = _REFUSALS[fault]
            refusal = store.error(status, of_s3) if of_s3 and is_s3(environ) else None
            return send(refusal or table.error(status, of_dynamodb), start_response)
        if fault is Fault.DELAYED:
            again = {**environ, "wsgi.input": io.BytesIO(body)}
            with self._lock:
                self._delayed.append(lambda: self._effect(application, again, body))
        if fault in {Fault.KILLED_BEFORE, Fault.DELAYED}:
            self.kill(slot)
        if fault is Fault.HANGS:
            self._over.wait(_HANGS_SECONDS)
        if fault in {Fault.KILLED_BEFORE, Fault.DELAYED, Fault.CUT, Fault.HANGS}:
            return hang_up(connection, start_response)
        response = self._effect(application, environ, body)
        if fault is Fault.KILLED_AFTER:
            self.kill(slot)
        if fault in {Fault.KILLED_AFTER, Fault.ANSWER_LOST}:
            return hang_up(connection, start_response)
        is_whole = response.status == 200  # for a piece of an object, there is no checksum
        if fault is Fault.BODY_BROKEN and is_whole and (sent := broken(response)) is not None:
            return send(response, start_response, body=sent)
        if fault in {Fault.BODY_CUT, Fault.BODY_BROKEN} and len(response.body) > 1:
            return send(response, start_response, cut=connection)
        return send(response, start_response)

    def _drawn(self, environ: WSGIEnvironment, body: bytes) -> Fault | None:
        if self._script is None:
            return None
        asked = question(environ, body)

        def draw(rng: random.Random) -> Drawn | None:
            if self._outage and re.search(self._outage[0], asked):
                return self._outage[1], 0.0
            if rng.random() >= self._rate:
                return None
            return rng.choice(_ANYWHERE + _particular(environ)), 0.0

        injected = self._script.at(asked, draw)
        return None if injected is None else injected.fault

    def _effect(
        self, application: WSGIApplication, environ: WSGIEnvironment, body: bytes
    ) -> Answer:
        """What the cloud does and says."""
        if "Scan" in environ.get("HTTP_X_AMZ_TARGET", ""):
            time.sleep(_PAGE_SECONDS)
            with self._lock:
                self.pages += 1
        if _is_of_piece(environ):
            time.sleep(_PAGE_SECONDS)
        started: list[Any] = []
        chunks = application(
            {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))},
            lambda status, headers, _exc_info=None: started.extend((status, headers)),  # type: ignore[arg-type,return-value]
        )
        answer = Answer(
            status=int(started[0].split()[0]), headers=dict(started[1]), body=b"".join(chunks)
        )
        if environ["REQUEST_METHOD"] == "PUT" and answer.status == 200:
            with self._lock:
                self.written[environ["PATH_INFO"]] += 1
        return answer


def _particular(environ: WSGIEnvironment) -> tuple[Fault, ...]:
    if "Scan" in environ.get("HTTP_X_AMZ_TARGET", ""):
        return _OF_A_SCAN
    if not is_s3(environ):
        return ()
    if _is_of_piece(environ):
        return _OF_A_PIECE
    return _OF_A_PUT if environ["REQUEST_METHOD"] in {"PUT", "DELETE"} else _OF_A_GET


def _is_of_piece(environ: WSGIEnvironment) -> bool:
    return "HTTP_RANGE" in environ
