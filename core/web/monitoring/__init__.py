"""What monitors read: OpenMetrics, with a Grafana dashboard and alert rules made for it."""
