"""A run: its request, plan, proof and days, and what it publishes and records."""
