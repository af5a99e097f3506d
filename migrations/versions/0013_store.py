"""Values of epochs and last values for SQL, runs whose blocks are merged, and experiments that are being removed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = [
    ("experiments", True, ["status", "id"]),
    ("experiments", True, ["owner", "id"]),
    ("experiments", False, ["name", "id"]),
    ("experiments", False, ["created_at", "id"]),
    ("tags", True, ["tag", "experiment_id"]),
]
"""A table, whether its index was of the first column alone, and the columns."""
FINAL_VALUES = """
CREATE VIEW final_values AS
SELECT runs.id AS run_id, runs.experiment_id, runs.arm, runs.seed, runs.repeat, runs.outcome,
       {metric} AS metric, {value} AS value
FROM runs {join}
"""
DIALECTS = {
    "sqlite": {
        "metric": "last.key",
        "value": "CAST(last.value AS REAL)",
        "join": "JOIN json_each(runs.final) AS last WHERE last.key IS NOT NULL",
    },
    "postgresql": {
        "metric": "last.key",
        "value": "CAST(last.value AS double precision)",
        "join": "CROSS JOIN LATERAL json_each_text("
        "CASE json_typeof(runs.final) WHEN 'object' THEN runs.final ELSE '{}' END) AS last",
    },
}


def upgrade() -> None:
    op.add_column("experiments", sa.Column("deleted_at", sa.Double(), nullable=True))
    op.add_column("experiments", sa.Column("progress", sa.JSON(), nullable=True))
    for table, old, columns in INDEXES:
        name = f"ix_{table}_{columns[0]}"
        if old:
            op.drop_index(name, table)
        op.create_index(name, table, columns)
    uncounted = sa.text("progress IS NULL")
    op.create_index(
        "ix_experiments_to_count", "experiments", ["status"], sqlite_where=uncounted, postgresql_where=uncounted
    )
    op.create_index("ix_experiments_deleted_at", "experiments", ["deleted_at"])
    op.create_index("ix_experiments_finished_at", "experiments", ["finished_at"])
    op.add_column("runs", sa.Column("merged", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_runs_to_merge",
        "runs",
        ["status"],
        sqlite_where=sa.text("merged = 0"),
        postgresql_where=sa.text("NOT merged"),
    )
    op.create_table(
        "epoch_values",
        sa.Column("run_id", IDENTITY, nullable=False),
        sa.Column("metric", sa.String(200), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "metric", "epoch", name="pk_epoch_values"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_epoch_values_run_id_runs", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.execute(FINAL_VALUES.format(**DIALECTS[op.get_bind().dialect.name]))
