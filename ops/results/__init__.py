"""What runs have left, read from a directory that holds a bucket's objects as files."""
