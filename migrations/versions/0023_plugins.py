"""The plug-ins that a cohort needs, and those that a worker has."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cohorts", sa.Column("plugins", sa.Text(), nullable=True))
    op.add_column("workers", sa.Column("plugins", sa.JSON(), nullable=True))
