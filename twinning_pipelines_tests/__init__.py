"""The tests: one tree beside the package, real Postgres always, samples and goldens of our own."""
