"""KPI definitions: which items count, which day an item belongs to, and what a day publishes."""
