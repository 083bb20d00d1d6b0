"""Programs of the stack's images as far as the first start uses them: strict about each argument, state in one file."""
