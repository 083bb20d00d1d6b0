"""How to read a syntax: bytes to rows with their places, no meaning. Each module is one syntax."""
