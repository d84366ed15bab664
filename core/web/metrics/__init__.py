"""`/metrics` in OpenMetrics format, with a Grafana dashboard and alert rules for it."""
