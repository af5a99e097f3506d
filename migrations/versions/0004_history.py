"""What happened and how often; whose an experiment is, and whose turn; pauses, queues, a second checkpoint."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("experiments", sa.Column("owner", sa.String(length=40), nullable=True))
    op.add_column("experiments", sa.Column("turn", sa.Double(), nullable=True))
    op.create_index(op.f("ix_experiments_owner"), "experiments", ["owner"])
    op.add_column("cohorts", sa.Column("queue", sa.String(length=40), nullable=True))
    op.add_column("cohorts", sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("cohorts", sa.Column("checkpoint_before", sa.JSON(), nullable=True))
    op.add_column("workers", sa.Column("queues", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "events",
        sa.Column("id", IDENTITY, nullable=False),
        sa.Column("experiment_id", IDENTITY, nullable=False),
        sa.Column("cohort_id", IDENTITY, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_events_experiment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_experiment", "events", ["experiment_id", "id"])
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
