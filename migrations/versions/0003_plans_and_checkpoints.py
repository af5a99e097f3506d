"""How many threads a cohort trains with, where it goes on after its worker died, and what a worker can do."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cohorts", sa.Column("threads", sa.Integer(), server_default="1", nullable=False))
    op.add_column("cohorts", sa.Column("checkpoint", sa.String(length=200), nullable=True))
    op.add_column("cohorts", sa.Column("checkpoint_sha256", sa.String(length=64), nullable=True))
    op.add_column("cohorts", sa.Column("checkpoint_step", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("cohorts", sa.Column("checkpoint_epochs", sa.Integer(), server_default="0", nullable=False))
    op.add_column("workers", sa.Column("profile", sa.JSON(), nullable=True))
