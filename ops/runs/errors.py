"""The errors that prevent results from being read or shown."""


class ResultsError(Exception):
    """The results do not exist, or cannot be read or written. The message says what to do."""
