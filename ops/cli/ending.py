"""How commands that execute a run say things, and end."""

import json
import sys
from typing import NoReturn

from rich.console import Console

from ops.runs.execution import EndedExecution


def say(console: Console, line: str) -> None:
    """A line as it is."""
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def end(ended: EndedExecution, *, as_json: bool) -> NoReturn:
    """Exits with 0 for a run that succeeded and 1 for one that failed."""
    if as_json:
        print(json.dumps(ended.summary_to_json()), flush=True)
    sys.exit(0 if ended.succeeded else 1)
