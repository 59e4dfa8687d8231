"""Alembic's entry: takes the connection that `service.migrate` opened."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True, version_table_schema="public")
with context.begin_transaction():
    context.run_migrations()
