"""The verbs of `ops`: options, wiring, screens, exit statuses. Only this package uses click and
rich."""
