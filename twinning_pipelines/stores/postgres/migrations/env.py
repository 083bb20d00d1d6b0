"""Alembic's entry: runs migrations on the connection that `database.migrate` hands over, inside its transaction."""

from alembic import context

from twinning_pipelines.stores.postgres.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, compare_type=True)
context.run_migrations()
