"""Postgres, the system of record.

Reading order: `schema` (every table), `database` (engine and migrations), `copying` (Arrow to COPY), `rows` and
`series` (how facts are merged), `store` (the ledger, and one file in one transaction).
"""
