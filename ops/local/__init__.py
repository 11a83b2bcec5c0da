"""A run on this machine: trip files, the state directory, the embedded stack, the page log."""
