"""The weights that runs keep, and the bytes that they may take."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("weights", sa.JSON(), nullable=True))
    op.add_column("experiments", sa.Column("weight_bytes", sa.BigInteger(), server_default="0", nullable=False))
