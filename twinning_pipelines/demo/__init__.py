"""Sample makers: realistic exports of people who don't exist, the same for the same seed. Part of the product.

`twinning demo` drops them into a fresh home; the tests and the benchmarks read them too.
"""
