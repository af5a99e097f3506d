"""Looks at adaptive seeds: those that were taken, the next one, and the cohorts that wait for one."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("looks", sa.JSON(), nullable=True))
    op.add_column("experiments", sa.Column("next_look", sa.Integer(), nullable=True))
    op.add_column("cohorts", sa.Column("look", sa.Integer(), nullable=True))
