"""Collectors, against far sides on loopback ports."""
