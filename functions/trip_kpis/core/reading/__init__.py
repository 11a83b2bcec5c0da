"""Items -> what counts, by a definition: one by one, and whole pages in columns."""
