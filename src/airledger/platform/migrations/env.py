"""Alembic's entry: runs on the connection that airledger.platform.migrate hands over."""

from alembic import context

from airledger.platform.db import Row

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Row.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
    compare_type=True,
    include_object=context.config.attributes["include_object"],
)
with context.begin_transaction():
    context.run_migrations()
