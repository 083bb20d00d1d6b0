"""Tests of what watches: rules, routes and probes, with the real Prometheus, Alertmanager and exporters."""
