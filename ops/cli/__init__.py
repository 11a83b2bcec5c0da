"""The verbs of `ops`: options, wiring, screens, exit statuses. Only here are click and rich."""
