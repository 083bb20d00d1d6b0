"""Where tracked time comes from."""
