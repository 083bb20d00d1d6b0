"""Firefly III over HTTP: `client` knows its API, `connection` its network, `groups` what a transaction is there."""
