"""Stand-ins for the servers that Twinning talks to."""
