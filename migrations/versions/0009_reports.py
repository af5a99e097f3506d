"""Reports of experiments that have ended, kept as they were made."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("experiment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked", sa.String(80), nullable=False),
        sa.Column("version", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "asked", name="pk_reports"),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name="fk_reports_experiment_id_experiments", ondelete="CASCADE"
        ),
    )
