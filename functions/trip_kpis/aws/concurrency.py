"""Runs many calls at the same time and returns their results in order, with bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

WORKERS = 16
"""At 20 ms a request, these calls keep one processor busy; more calls only slow each other down."""
_AHEAD = 4 * WORKERS

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


def in_order(
    call: Callable[[_Argument], _Result],
    arguments: Iterable[_Argument],
    *,
    workers: int = WORKERS,
    ahead: int = _AHEAD,
    abandons: bool = False,
) -> Iterator[_Result]:
    """Runs `call` on each argument, so many at the same time, with at most `ahead` results that
    wait to be taken.

    The first call that raises ends it, and so does closing the iterator: calls that have not begun
    are not begun, and it waits for those under way, unless it `abandons` them. Only calls without
    an effect may be abandoned.
    """
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[_Result]] = deque()
    try:
        for argument in arguments:
            waiting.append(pool.submit(call, argument))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=not abandons, cancel_futures=True)
