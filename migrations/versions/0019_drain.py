"""Workers that are asked to leave, and the version that each of them runs."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workers", sa.Column("version", sa.String(40), server_default="", nullable=False))
    op.add_column("workers", sa.Column("draining", sa.Boolean(), server_default=sa.false(), nullable=False))
