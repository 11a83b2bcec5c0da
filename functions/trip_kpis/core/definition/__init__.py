"""KPI definitions: what counts as a trip, which day it belongs to, what a day publishes."""
