"""Alerts and dashboards, generated from the closed list of metrics: none can name a metric that does not exist."""
