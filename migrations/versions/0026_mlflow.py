"""MLflow's door: experiments, runs and points as MLflow's clients have logged them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mlflow_experiments",
        sa.Column("id", IDENTITY, nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("project", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(40)),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("experiment_id", IDENTITY),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name="fk_mlflow_experiments_experiment_id_experiments",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mlflow_experiments"),
        sa.UniqueConstraint("project", "name", name="uq_mlflow_experiments_project"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mlflow_experiments_experiment_id", "mlflow_experiments", ["experiment_id"])
    op.create_table(
        "mlflow_runs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("of", IDENTITY, nullable=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("user", sa.String(250), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("latest", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("run_id", IDENTITY),
        sa.Column("stale", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["of"], ["mlflow_experiments.id"], name="fk_mlflow_runs_of_mlflow_experiments", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_mlflow_runs_run_id_runs", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_mlflow_runs"),
    )
    op.create_index("ix_mlflow_runs_of", "mlflow_runs", ["of"])
    op.create_index("ix_mlflow_runs_run_id", "mlflow_runs", ["run_id"])
    op.create_table(
        "mlflow_points",
        sa.Column("id", IDENTITY, nullable=False),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("nan", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["mlflow_runs.id"], name="fk_mlflow_points_run_id_mlflow_runs", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mlflow_points"),
    )
    columns = ["run_id", "key", "step", "timestamp", "value", "nan"]
    op.create_index("uq_mlflow_points", "mlflow_points", columns, unique=True)
