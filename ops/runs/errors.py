"""What keeps results from being read or shown."""


class ResultsError(Exception):
    """There are no such results, or they cannot be read or written. The message says what to do."""
