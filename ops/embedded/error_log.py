"""Errors of the embedded AWS itself: in a file, with their tracebacks, and not on the terminal."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path

NAME = "embedded-aws.log"
_LOGGERS = ("werkzeug", "moto")


@contextmanager
def errors_logged_to(file: Path) -> Iterator[None]:
    """Writes warnings and errors of server and moto to `file`, which is created only if there are
    any."""
    file.unlink(missing_ok=True)
    handler = _MadeOnFirstUse(file, delay=True)
    # By a filter: werkzeug adds a handler of its own, for the terminal, where none is of its level.
    handler.addFilter(lambda record: record.levelno >= logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    with ExitStack() as changes:
        changes.callback(handler.close)
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            before = logger.handlers, logger.propagate
            logger.handlers, logger.propagate = [handler], False
            changes.callback(_put_back, logger, *before)
        yield


def _put_back(logger: logging.Logger, handlers: list[logging.Handler], propagate: bool) -> None:
    logger.handlers, logger.propagate = handlers, propagate


class _MadeOnFirstUse(logging.FileHandler):
    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()
