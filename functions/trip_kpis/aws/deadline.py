"""A call that may not take longer than the rest of an invocation."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

_Result = TypeVar("_Result")


class OutOfTimeError(Exception):
    """The call did not finish in time. Its thread continues; its result is discarded."""


def within(seconds: float, call: Callable[[], _Result]) -> _Result:
    """Returns or raises what `call` does; raises OutOfTimeError if it takes longer.

    botocore's time-outs hold for one attempt to connect or to read; with its retries a single
    request can outlast any margin that a worker keeps.
    """
    if seconds <= 0:
        raise OutOfTimeError
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError:
        if future.done():
            return future.result()  # just in time, or the call's own error
        raise OutOfTimeError from None
