"""Where results are read from: the directory of a run on this machine, or a deployed stack."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from ops import options
from ops.account.account import Account
from ops.account.fetched import fetch
from ops.account.stack import Stack

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Either directory or stack."""

    out: Path | None
    stack: Stack | None

    @contextmanager
    def directory(
        self, prefixes: Sequence[str], *, wanted: Callable[[str], bool] = lambda _: True
    ) -> Iterator[Path]:
        """The directory; of a stack one that is gone afterwards, with what its bucket holds under
        these prefixes, of the keys that are `wanted`. Raises AccountError."""
        if self.stack is None:
            assert self.out is not None
            yield self.out
            return
        with tempfile.TemporaryDirectory(prefix="trip-kpis-") as fetched:
            fetch(self.stack, prefixes, Path(fetched), wanted=wanted)
            yield Path(fetched)


def source(command: _Command) -> _Command:
    """Gives the command a `source`, from --out DIR or --stack NAME."""

    @options.stack
    @options.profile
    @options.region
    @options.out(
        "The directory of a `run`, `rerun` or `demo`; or a copy of the bucket.", needed=False
    )
    @wraps(command)
    def asked(
        *, out: Path | None, stack: str | None, profile: str | None, region: str | None, **rest: Any
    ) -> Any:
        if (out is None) == (stack is None):
            raise click.UsageError(
                "say where the runs are: --out DIR for those on this machine, or --stack NAME for "
                "a deployed stack"
            )
        named = (
            None if stack is None else Stack.named(stack, Account(profile=profile, region=region))
        )
        return command(source=Source(out=out, stack=named), **rest)

    return asked  # type: ignore[return-value]
