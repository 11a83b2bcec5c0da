"""A handler that does what its event says, to show what Lambda makes of it."""

import datetime
import decimal
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

calls = 0


class PermanentError(Exception):
    """A class of the program's own, whose name the state machine goes by."""


def handler(event, context):
    global calls
    calls += 1
    return DEEDS[event.get("do", "finish")](event, context)


def finish(event, context):
    return {"finished": True}


def look_around(event, context):
    return {
        "environment": dict(os.environ),
        "directory": str(Path.cwd()),
        "first_on_path": sys.path[0],
        "main_thread": threading.current_thread() is threading.main_thread(),
        "pid": os.getpid(),
        "calls": calls,
    }


def show_context(event, context):
    return {
        "function_name": context.function_name,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "remaining_ms": context.get_remaining_time_in_millis(),
    }


def refuse(event, context):
    raise PermanentError("no such thing as \u00fc")


def hang(event, context):
    subprocess.Popen(["sleep", "600"])
    print("hanging", flush=True)
    threading.Event().wait()


def exit_with_status(event, context):
    sys.exit(event["status"])


def crash(event, context):
    os.kill(os.getpid(), event["signal"])
    threading.Event().wait()


def answer_with_a_date(event, context):
    return datetime.date(2024, 5, 25)


def answer_with_decimals(event, context):
    return {"total": decimal.Decimal("274393.88255724832189"), "count": decimal.Decimal("10")}


def answer_at_length(event, context):
    return "x" * event["length"]


def talk(event, context):
    print("to standard output")
    print("to standard error", file=sys.stderr)
    os.write(1, b"\x00\x00\x00\x02{}straight to the descriptor\n")
    logging.getLogger("work").warning("to the log")
    subprocess.run(["echo", "from a child"], check=True)
    return {"said": True}


def echo(event, context):
    return event


DEEDS = {
    deed.__name__: deed
    for deed in (
        finish,
        look_around,
        show_context,
        refuse,
        hang,
        exit_with_status,
        crash,
        answer_with_a_date,
        answer_with_decimals,
        answer_at_length,
        talk,
        echo,
    )
}
