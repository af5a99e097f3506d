"""The tables of what runs measured: packed blocks of points, and the values of epochs for SQL."""

from sqlalchemy import BigInteger, Double, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base


class MetricBlock(Base):
    """Consecutive points of one metric of one run, packed as little-endian floats of `len(values) / n` bytes each.

    They were measured at updates, or epochs, `first`, `first + every`, ...; or at `steps`, where these are not evenly
    spaced: then `every` is at least their mean distance, so that the last is at `first + (n - 1) * every` or before.
    """

    __tablename__ = "metric_blocks"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    metric: Mapped[str] = mapped_column(String(200), primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    n: Mapped[int] = mapped_column(Integer)
    every: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    """1, but for diagnostics, and for what others measured more seldom."""
    attempt: Mapped[int] = mapped_column(Integer)
    """Of its cohort; of an external run, whose points nobody takes back, the number of the post that brought them."""
    values: Mapped[bytes] = mapped_column(LargeBinary)
    steps: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Little-endian integers of 8 bytes; None: evenly spaced."""


class EpochValue(Base):
    """One metric of one run after one epoch, for SQL: what the blocks have, written in the same transactions."""

    __tablename__ = "epoch_values"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    metric: Mapped[str] = mapped_column(String(200), primary_key=True)
    epoch: Mapped[int] = mapped_column(Integer, primary_key=True)
    value: Mapped[float | None] = mapped_column(Double)
    """None where it is NaN or infinite."""
