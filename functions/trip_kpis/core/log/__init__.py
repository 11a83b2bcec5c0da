"""The segment log: counts, partial aggregates, and the parts that contain both."""
