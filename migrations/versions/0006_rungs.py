"""Where cohorts wait for each other, and what was decided there; the energy that a run has cost."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("rungs", sa.JSON(), nullable=True))
    op.add_column("cohorts", sa.Column("rung", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("energy_kwh", sa.Double(), nullable=True))
    op.add_column("runs", sa.Column("co2e_g", sa.Double(), nullable=True))
    op.add_column("runs", sa.Column("energy_source", sa.String(length=10), nullable=True))
