"""The verbs, one module each: options and output."""
