"""The alternatives to this project's scan worker. Each is a separate program."""
