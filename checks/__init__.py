"""What `make check` looks at besides the code: the template, the state machine, secrets."""
