"""A run: its request, plan, proof, days, and what it publishes and records."""
