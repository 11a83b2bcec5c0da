"""Which objects of a stack were written last."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

from ops.runs.storage import Listed
from ops.stack.account import Account
from ops.stack.fetched import newest_first, written_last
from ops.stack.stack import Stack
from trip_kpis.core.layout import MANIFESTS, manifest_key

AT = datetime(2024, 6, 1, 2, 15, 7, tzinfo=UTC)
EARLIER = AT - timedelta(seconds=1)


class Stored:
    """A stack with these manifests, and a bucket that lists them."""

    bucket_name, account = "results", Account()

    def __init__(self, **runs: datetime) -> None:
        self._runs = runs

    def bucket(self) -> "Stored":
        return self

    def objects(self, prefix: str) -> Iterator[Listed]:
        assert prefix == MANIFESTS
        for run_id, written_at in self._runs.items():
            yield Listed(manifest_key(run_id), written_at)


def of(**runs: datetime) -> Stack:
    return cast(Stack, Stored(**runs))


def test_all_that_were_written_in_the_last_second_may_be_the_last() -> None:
    stored = of(a=AT, b=EARLIER, c=AT)
    assert written_last(stored, MANIFESTS) == [manifest_key("a"), manifest_key("c")]
    assert newest_first(stored, MANIFESTS) == [manifest_key(run) for run in ("c", "a", "b")]


def test_of_nothing_nothing_was_written_last() -> None:
    assert written_last(of(), MANIFESTS) == []
