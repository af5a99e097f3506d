"""The tables of what runs beside the workers: processes of the API, and counts of what happened."""

from sqlalchemy import BigInteger, Double, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base


class ApiProcess(Base):
    """A process of the API that is alive, or was when it was last seen."""

    __tablename__ = "api_processes"

    holder: Mapped[str] = mapped_column(String(200), primary_key=True)
    files: Mapped[str] = mapped_column(String(40))
    """The name of the file store that it sees."""
    last_seen: Mapped[float] = mapped_column(Double)


class Counter(Base):
    """A count of something rare since the database was made, whichever process it happened to."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
