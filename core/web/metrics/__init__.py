"""Serves `/metrics` for Prometheus, with a Grafana dashboard and alert rules for it."""
