"""The file store that each process sees, so that processes which see different ones can be told."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workers", sa.Column("files", sa.String(40), server_default="", nullable=False))
    op.create_table(
        "api_processes",
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("files", sa.String(40), nullable=False),
        sa.Column("last_seen", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("holder", name=op.f("pk_api_processes")),
    )
