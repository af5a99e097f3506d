"""Projects, with members and quotas; what is stored counted; sessions that ended. All there is belongs to `default`."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

QUOTAS = ("runs", "points", "bytes")
POINTS = """UPDATE experiments SET points =
3 * (SELECT coalesce(sum(steps_total), 0) FROM runs WHERE runs.experiment_id = experiments.id)"""
"""Three of every update: of the loss, the rate and the gradient."""
USAGES = """INSERT INTO usages (kind, name, runs, points, bytes)
SELECT '{kind}', {name}, sum((SELECT count(*) FROM runs WHERE runs.experiment_id = experiments.id)), sum(points), 0
FROM experiments GROUP BY {name}"""
"""The bytes of data sets are counted by the next look for what nobody needs."""


def _quotas(*, nullable: bool) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in QUOTAS]


def upgrade() -> None:
    projects = op.create_table(
        "projects",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("default_role", sa.String(10), nullable=True),
        sa.Column("keep_days", sa.Double(), nullable=True),
        *_quotas(nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_projects"),
    )
    op.create_table(
        "members",
        sa.Column("project", sa.String(40), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("project", "who", name="pk_members"),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], name="fk_members_project_projects", ondelete="CASCADE"),
    )
    op.create_table(
        "usages",
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        *_quotas(nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_usages"),
    )
    op.create_table(
        "ended_sessions",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ended_sessions"),
    )
    for quota in _quotas(nullable=True):
        op.add_column("api_keys", quota)
    op.add_column("experiments", sa.Column("project", sa.String(40), server_default="default", nullable=False))
    op.add_column("experiments", sa.Column("points", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_experiments_project_finished_at", "experiments", ["project", "finished_at"])
    everybody = {"name": "default", "description": "What names no other project.", "default_role": "member"}
    op.bulk_insert(projects, [everybody | {"created_at": time.time()}])
    op.execute(sa.text(POINTS))
    for kind, name in (("project", "project"), ("owner", "coalesce(owner, '')")):
        op.execute(sa.text(USAGES.format(kind=kind, name=name)))
