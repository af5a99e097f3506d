"""Studies, and the levels and decisions of their experiments."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "studies",
        sa.Column("project", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("project", "name", name="pk_studies"),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], name="fk_studies_project_projects", ondelete="CASCADE"),
    )
    op.create_table(
        "study_entries",
        sa.Column("experiment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project", sa.String(40), nullable=False),
        sa.Column("study", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("decision", sa.String(12), nullable=True),
        sa.Column("arm", sa.String(120), nullable=True),
        sa.Column("p", sa.Double(), nullable=True),
        sa.Column("known_after", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", name="pk_study_entries"),
        sa.ForeignKeyConstraint(
            ["project", "study"],
            ["studies.project", "studies.name"],
            name="fk_study_entries_project_studies",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_study_entries_place", "study_entries", ["project", "study", "position"], unique=True)
