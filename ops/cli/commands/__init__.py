"""The verbs, a module each: its options, and what it shows."""
