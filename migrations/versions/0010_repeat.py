"""Second trainings of runs; all of before are first ones."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("repeat", sa.Boolean(), server_default=sa.false(), nullable=False))
