"""The AWS calls; all decisions are in `core`."""
