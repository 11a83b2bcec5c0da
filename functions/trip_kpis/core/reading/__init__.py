"""Reads items by a definition, one by one or whole pages in columns: which of them count."""
