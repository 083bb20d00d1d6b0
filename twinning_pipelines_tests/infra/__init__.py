"""Tests of the stack: what the files of `infra/` and `docker/` do, with the real programs where they are at hand."""
