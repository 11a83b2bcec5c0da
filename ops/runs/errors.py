"""The errors that prevent results from being read or shown."""

from trip_kpis.core.errors import InputError


class ResultsError(Exception):
    """The results do not exist, or cannot be read or written. The message says what to do."""


def read_units_refused(run_id: str) -> InputError:
    """Returns the error for a run over an export that is resumed with a read budget."""
    return InputError(
        f"run {run_id} reads an export, without read units: leave --read-units-per-second out"
    )
