"""A bound on each owner's runs that have not ended, so that a post need not count them."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("usages", sa.Column("unfinished", sa.BigInteger(), nullable=True))
