"""The tables of studies: chains of experiments that share the error which their verdicts may make."""

from sqlalchemy import BigInteger, Double, ForeignKey, ForeignKeyConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base


class Study(Base):
    """A named chain of experiments of one project; it stays when they are deleted, and what it spent stays spent."""

    __tablename__ = "studies"

    project: Mapped[str] = mapped_column(ForeignKey("projects.name", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    alpha: Mapped[float] = mapped_column(Double)
    """The share of wrong ones among what is kept, that of its first experiment."""
    created_at: Mapped[float] = mapped_column(Double)


class StudyEntry(Base):
    """An experiment's place in its study, the level that it was given when it was posted, and its decision."""

    __tablename__ = "study_entries"
    __table_args__ = (
        ForeignKeyConstraint(["project", "study"], ["studies.project", "studies.name"], ondelete="CASCADE"),
        Index("ix_study_entries_place", "project", "study", "position", unique=True),
    )

    experiment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Also of one that was deleted."""
    project: Mapped[str] = mapped_column(String(40))
    study: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(Integer)
    """From 1, in the order of the posts."""
    level: Mapped[float] = mapped_column(Double)
    decision: Mapped[str | None] = mapped_column(String(12))
    """keep, discard or inconclusive; None: not decided yet."""
    arm: Mapped[str | None] = mapped_column(String(120))
    """The arm to keep."""
    p: Mapped[float | None] = mapped_column(Double)
    """The adjusted p of the arm to keep, else the least of all comparisons with the baseline."""
    known_after: Mapped[int | None] = mapped_column(Integer)
    """The position of the last experiment that had been posted when it was decided: later levels take it in."""
    decided_at: Mapped[float | None] = mapped_column(Double)
