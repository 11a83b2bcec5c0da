"""The verbs of `python -m ops`, one a module: what each is asked with, and what it shows."""
