"""Run an SQL file inside Alembic's transaction."""

from pathlib import Path

from alembic import op

FOLDER = Path(__file__).parent / "sql"


def run(statements: str) -> None:
    """Run many statements at once.

    SQLAlchemy's asyncpg dialect prepares what it is given, and PostgreSQL prepares one statement at a time; the driver
    underneath takes a whole script, in the same connection and so in the same transaction.
    """
    connection = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(statements))


def run_file(name: str) -> None:
    """Run `sql/<name>`."""
    run((FOLDER / name).read_text(encoding="utf-8"))
