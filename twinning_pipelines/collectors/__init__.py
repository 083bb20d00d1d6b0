"""Providers that are asked instead of waited for: what they answer becomes a file in the inbox, and takes the same road.

Reading order: `asking` (a request that tells nobody a secret), `credentials` (collectors.yaml), `logbook` (what is
remembered between two visits), `collector` (what a collector is), `simplefin`, `ibkr_flex`, `inbox`, `round`.
"""
