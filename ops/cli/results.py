"""The place from which results are read: the directory of a run on this machine, or a deployed
stack."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ops.cli import options
from ops.cli.execution_input import refused_beside
from ops.runs.copied_files import ignored
from ops.runs.errors import ResultsError
from trip_kpis.core import layout
from trip_kpis.core.layout import is_run_id

if TYPE_CHECKING:
    from ops.stack.stack import Stack

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Either a directory or a stack."""

    out: Path | None
    stack: Stack | None

    @property
    def place(self) -> Path | Stack:
        """Returns the place for the commands that messages suggest."""
        if self.stack is not None:
            return self.stack
        assert self.out is not None
        return self.out

    @property
    def name(self) -> str:
        """Returns the name for people."""
        return str(self.out) if self.stack is None else f"the stack {self.stack.name}"

    @contextmanager
    def directory(
        self, prefixes: Sequence[str], *, wanted: Callable[[str], bool] = lambda _: True
    ) -> Iterator[Path]:
        """Yields the directory; for a stack, a temporary one with the objects of its bucket under
        these prefixes whose keys are `wanted`. Raises AccountError."""
        place = self.place
        if isinstance(place, Path):
            yield place
            return
        from ops.stack.fetched import fetch

        with tempfile.TemporaryDirectory(prefix="trip-kpis-") as fetched:
            say_ignored(place, fetch(place, prefixes, Path(fetched), wanted=wanted).foreign)
            try:
                yield Path(fetched)
            except ResultsError as error:
                raise ResultsError(_of_the_stack(str(error), fetched, place)) from error

    def also(
        self,
        directory: Path,
        prefixes: Sequence[str],
        *,
        wanted: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Fetches more objects of a stack into the `directory`."""
        if self.stack is not None:
            from ops.stack.fetched import fetch

            fetched = fetch(self.stack, prefixes, directory, wanted=wanted)
            say_ignored(self.stack, fetched.foreign)

    @contextmanager
    def manifests(self, *run_ids: str) -> Iterator[Path]:
        """Yields a directory with the manifests of these runs that have one, or, if no run is
        named, of the run that finished last."""
        for run_id in run_ids:
            if not is_run_id(run_id):
                raise click.UsageError(
                    f"{run_id!r} is not the id of a run: an id has letters, digits, dots, hyphens "
                    "and underscores"
                )
        keys = [layout.manifest_key(run_id) for run_id in run_ids]
        if self.stack is not None and not run_ids:
            from ops.stack.fetched import written_last

            keys = written_last(self.stack, layout.MANIFESTS)
        with self.directory(keys) as directory:
            yield directory


def _of_the_stack(message: str, fetched: str, stack: Stack) -> str:
    """Replaces the directory in messages by the bucket, because a reader knows only the bucket."""
    named = message.replace(f"--out {fetched}", shlex.join(stack.options))
    return named.replace(fetched, f"s3://{stack.bucket_name}")


def say_ignored(place: Path | Stack, keys: Collection[str]) -> None:
    """Prints on standard error which objects of the bucket, or of a copy, were ignored, if any."""
    if keys:
        from ops.cli.terminal import remark

        name = str(place) if isinstance(place, Path) else f"s3://{place.bucket_name}"
        remark(ignored(name, keys))


as_json = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")


def named_stack(name: str, profile: str | None, region: str | None) -> Stack:
    """Returns the stack of --stack, --profile and --region. Raises AccountError."""
    # boto3 takes a third of a second to load: not for `--help`, nor for a directory.
    from ops.stack.account import Account
    from ops.stack.stack import Stack

    return Stack.named(name, Account(profile=profile, region=region))


def source(command: _Command) -> _Command:
    """Passes a `source` to the command, from --out DIR or --stack NAME."""

    @options.stack
    @options.profile
    @options.region
    @click.option(
        "--out",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="The directory of a `run`, `rerun` or `demo`, or a copy of the bucket.",
    )
    @wraps(command)
    def asked(
        *, out: Path | None, stack: str | None, profile: str | None, region: str | None, **rest: Any
    ) -> Any:
        if out is not None and stack is not None:
            raise click.UsageError("--out and --stack cannot be combined: give one of them")
        if out is None and stack is None:
            raise click.UsageError(
                "give --out DIR for runs on this machine, or --stack NAME for runs of a deployed "
                "stack"
            )
        if out is not None:
            refused_beside("--out", "profile", "region")
        named = None if stack is None else named_stack(stack, profile, region)
        return command(source=Source(out=out, stack=named), **rest)

    return asked  # type: ignore[return-value]
