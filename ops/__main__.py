"""`python -m ops`: the same as the command `ops`."""

from ops.cli.main import run_to_the_end

if __name__ == "__main__":
    run_to_the_end()
