"""Does, never decides: the AWS calls."""
