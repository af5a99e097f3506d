"""The clock of the database, so that leases never compare the clocks of two hosts."""

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class now(GenericFunction[float]):  # noqa: N801 it reads as SQL does
    """Seconds since 1970 by the clock of the database, at the moment the statement runs."""

    type = Double()
    inherit_cache = True
    name = "initlab_now"


@compiles(now, "sqlite")
def _sqlite(_element: Any, _compiler: Any, **_: Any) -> str:
    # unixepoch('subsec') needs SQLite 3.42; a julian day as a double is good to 40 microseconds
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    # now() is the start of the transaction, which may have waited for a lock
    return "extract(epoch from clock_timestamp())::double precision"
