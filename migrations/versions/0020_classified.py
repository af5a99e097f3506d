"""The classes that a run takes for which, how it ranks examples, and how sure it is."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("classified", sa.LargeBinary(), nullable=True))
