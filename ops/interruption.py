"""Ctrl-C and SIGTERM: the program ends with one message and exit status 130, whenever they come.

The first signal raises KeyboardInterrupt in the main thread, so that everything is closed in order.
Threads that are cut off meanwhile say nothing. A second signal, once the message was printed, ends
the process at once: what a run has stored is whole at any time, and its worker processes end when
it does.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

INTERRUPTED = 130
"""exit status, as a shell has it for a command that Ctrl-C ended"""


@dataclass
class _State:
    signalled: bool = False
    said: bool = False


_state = _State()


def handle_signals() -> None:
    """From now on, for the life of this process."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _interrupt)


def check() -> None:
    """Raises KeyboardInterrupt if a signal has come: one that was raised while Python finalized an
    object is lost (https://docs.python.org/3/reference/datamodel.html#object.__del__)."""
    if _state.signalled:
        raise KeyboardInterrupt


def was_signalled() -> bool:
    """Whether a signal has come."""
    return _state.signalled


def was_awaited() -> None:
    """The signal is what the command waited for: it ends as it should."""
    _state.signalled = False


def was_said() -> bool:
    """Whether a message has been printed that the command was interrupted."""
    return _state.said


def is_said() -> None:
    """The message has been printed."""
    _state.said = True


@contextmanager
def silent_threads() -> Iterator[None]:
    """While what other threads are at is torn down under them: their errors are no news."""
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


def end() -> NoReturn:
    """Ends the process as an interrupted one, without waiting for any thread."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(INTERRUPTED)


def _interrupt(_signal: int, _frame: object) -> None:
    if _state.said:
        os._exit(INTERRUPTED)
    if not _state.signalled:
        _state.signalled = True
        raise KeyboardInterrupt
