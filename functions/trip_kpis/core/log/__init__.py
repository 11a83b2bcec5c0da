"""The segment log: partial aggregates, counts, and the parts that hold both."""
