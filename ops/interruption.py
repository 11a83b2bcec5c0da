"""Ctrl-C and SIGTERM: the program ends with one message and exit status 130, whenever they come.

The first signal raises KeyboardInterrupt in the main thread, so that everything is closed in order.
In a finalizer, where Python prints exceptions and ignores them, it is not printed, and `check`
raises it later. Threads that are cut off meanwhile say nothing. A second signal, once the message
was printed, ends the process at once: what a run has stored is whole at any time, and its worker
processes end when it does.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

INTERRUPTED = 130
"""exit status of a command that Ctrl-C ended, as in a shell"""


@dataclass
class _State:
    signalled: bool = False
    said: bool = False
    kept: str = ""


_state = _State()


def handle_signals() -> None:
    """Handles the signals from now on, for the life of this process."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _interrupt)
    sys.unraisablehook = _without_interrupts(sys.unraisablehook)


def check() -> None:
    """Raises KeyboardInterrupt if a signal has come: one that was raised while Python finalized an
    object is lost (https://docs.python.org/3/reference/datamodel.html#object.__del__)."""
    if _state.signalled:
        raise KeyboardInterrupt


def was_signalled() -> bool:
    """Returns whether a signal has come."""
    return _state.signalled


def was_awaited() -> None:
    """Records that the command waited for the signal: it ends as it should."""
    _state.signalled = False


def explain(kept: str) -> None:
    """Sets what the message of an interruption says about what is kept."""
    _state.kept = kept


def message() -> str:
    """Returns the message of an interruption, for a command that has not set one."""
    return f"Interrupted. {_state.kept}".rstrip()


def was_said() -> bool:
    """Returns whether a message about the interruption was printed."""
    return _state.said


def is_said() -> None:
    """Records that the message was printed."""
    _state.said = True


@contextmanager
def silent_threads() -> Iterator[None]:
    """Suppresses the errors of other threads while what they use is being closed."""
    excepthook, unraisablehook = threading.excepthook, sys.unraisablehook
    threading.excepthook = _say_nothing
    sys.unraisablehook = _say_nothing
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = excepthook, unraisablehook
        logging.disable(disabled)


def _say_nothing(_: object) -> None: ...


def end(status: int = INTERRUPTED) -> NoReturn:
    """Ends the process without waiting for any thread."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(status)


def _interrupt(_signal: int, _frame: object) -> None:
    if _state.said:
        os._exit(INTERRUPTED)
    if not _state.signalled:
        _state.signalled = True
        raise KeyboardInterrupt


def _without_interrupts(
    report: Callable[["sys.UnraisableHookArgs"], object],
) -> Callable[["sys.UnraisableHookArgs"], object]:
    """Returns an unraisable hook that reports everything but a signal's KeyboardInterrupt."""

    def hook(unraisable: "sys.UnraisableHookArgs", /) -> None:
        if not (_state.signalled and issubclass(unraisable.exc_type, KeyboardInterrupt)):
            report(unraisable)

    return hook
