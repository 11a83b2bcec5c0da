"""Many calls at once, their results in order, memory bounded."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

WORKERS = 16
"""At 20 ms a request they keep one processor busy; more of them only get in each other's way."""
_AHEAD = 4 * WORKERS

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


def in_order(
    call: Callable[[_Argument], _Result],
    arguments: Iterable[_Argument],
    *,
    workers: int = WORKERS,
    ahead: int = _AHEAD,
) -> Iterator[_Result]:
    """`call` of each argument, so many at a time, at most `ahead` results waiting to be taken.

    The first call that raises ends it; what has not begun by then is not begun.
    """
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for argument in arguments:
                waiting.append(pool.submit(call, argument))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
