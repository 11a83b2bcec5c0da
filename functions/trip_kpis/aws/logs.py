"""The only logger: one JSON object per line, as CloudWatch Logs Insights reads it."""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

logger = Logger(service="trip-kpis")


@contextmanager
def logged(**keys: object) -> Iterator[None]:
    """Adds these keys to every log line of the block; an error that ends the block is logged with
    them."""
    with logger.append_context_keys(**keys):
        try:
            yield
        except Exception as error:
            # Without its traceback, which the runtime logs.
            logger.error("failed", error=type(error).__name__, cause=str(error))  # noqa: TRY400
            raise
