"""Decides, never does: no boto3, no environment, no clock, no logging."""
