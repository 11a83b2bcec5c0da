"""DynamoDB JSON: attribute paths, numbers, times; one item, and a page in columns."""
