"""The first start and its tool: each script runs for real, against a real server or a strict stand-in."""
