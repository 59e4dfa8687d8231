"""Database migrations: Alembic keeps the order, the SQL files say what happens. Forward only."""
