"""A signal while Python finalizes an object, where exceptions are printed and ignored."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import gc, signal, weakref
from ops import interruption

class Thing:
    def __del__(self):
        if finalizer == "__del__":
            signal.raise_signal(signal.SIGINT)

def call_back(*_):
    if not interruption.was_signalled():
        signal.raise_signal(signal.SIGINT)

finalizer = {finalizer!r}
interruption.handle_signals()
try:
    thing = Thing()
    watched = weakref.ref(thing, call_back if finalizer == "weakref" else None)
    if finalizer == "gc":
        gc.callbacks.append(call_back)
        gc.collect()
    del thing
    print("ignored")
    interruption.check()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("finalizer", ["__del__", "weakref", "gc"])
def test_an_interrupt_in_a_finalizer_is_raised_at_the_next_check_and_not_printed(
    finalizer: str,
) -> None:
    program = PROGRAM.format(finalizer=finalizer)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("ignored\ninterrupted\n", "")


def test_another_exception_in_a_finalizer_is_reported_as_ever() -> None:
    program = """
from ops import interruption

class Thing:
    def __del__(self):
        raise ValueError("of its own")

interruption.handle_signals()
Thing()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "ValueError: of its own" in done.stderr
