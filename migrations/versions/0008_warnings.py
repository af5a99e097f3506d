"""What a spec asks for and probably does not mean."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("warnings", sa.JSON(), nullable=True))
