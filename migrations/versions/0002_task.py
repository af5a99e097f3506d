"""What an experiment learns: classes, a binary target, or numbers. Until now all learned classes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("task", sa.String(length=10), server_default="multiclass", nullable=False))
