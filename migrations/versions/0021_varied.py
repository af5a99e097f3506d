"""What sets a second training apart from the first; all of before were for rounding."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("varied", sa.String(10), nullable=True))
    runs = sa.table("runs", sa.column("repeat", sa.Boolean), sa.column("varied", sa.String))
    op.execute(runs.update().where(runs.c.repeat).values(varied="rounding"))
