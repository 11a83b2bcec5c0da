"""The report: one page that shows what a run has published, and why it can be trusted."""
