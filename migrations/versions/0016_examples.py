"""Which examples of the judged split a run got right."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("correct", sa.LargeBinary(), nullable=True))
