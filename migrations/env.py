"""Alembic's entry: migrates over the connection that `core.store.migrate` hands in, inside its transaction."""

from alembic import context

from core.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
)
context.run_migrations()
