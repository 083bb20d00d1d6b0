"""Where facts are kept: Postgres, the system of record, and the stores that are rebuilt from it."""
