"""Runs that are trained elsewhere: what was received of them, and points at steps that are not evenly spaced."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("metric_blocks", sa.Column("steps", sa.LargeBinary()))
    op.add_column("runs", sa.Column("posts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("received", sa.JSON()))
