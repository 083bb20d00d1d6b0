"""Where food diaries come from."""
