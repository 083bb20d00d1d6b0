"""Benchmarks: ratios against named peers, all measured in one run. `make bench`; not part of `make test`."""
