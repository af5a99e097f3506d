"""The way in which a cohort's runs are computed; those of before all of them in every operation."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cohorts", sa.Column("layout", sa.String(length=8), server_default="vmap", nullable=False))
