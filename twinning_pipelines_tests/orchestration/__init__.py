"""The road as Dagster runs it: on a real Postgres, with real files in the inbox."""
