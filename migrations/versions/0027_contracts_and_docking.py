"""Of a pair one contract is under way at a time, unless another is meant; needs that are talked about are docking."""

from migrations.script import run_file

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the pair of a contract and the unique index on it, and dock needs."""
    run_file("0027_one_contract.sql")
    run_file("0027_docking.sql")
