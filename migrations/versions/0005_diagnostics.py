"""Metrics are named for layers too, and may be measured every so many updates."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite can widen no column: there the table is made anew and its rows copied
    with op.batch_alter_table("metric_blocks") as table:
        table.alter_column("metric", existing_type=sa.String(length=40), type_=sa.String(length=200))
        table.add_column(sa.Column("every", sa.Integer(), server_default="1", nullable=False))
