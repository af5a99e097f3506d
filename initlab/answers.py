"""Answers of a server that a notebook shows, and that are what programs take them for: bytes, a dict, a list."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Self

from initlab import notebook

COLUMNS = ("run_id", "arm", "seed", "metric", "unit", "step", "value")


class Picture(bytes):
    """The bytes of a PNG or an SVG file, which a notebook shows, or the JSON of what it is drawn from."""

    name: str
    format: Literal["png", "svg", "json"]

    @classmethod
    def of(cls, content: bytes, name: str, format: Literal["png", "svg", "json"]) -> Self:  # noqa: A002 the field's word
        """Return the picture in a file's content."""
        made = cls(content)
        made.name, made.format = name, format
        return made

    def save(self, path: str | Path) -> Path:
        """Write the file, and return its path."""
        Path(path).write_bytes(self)
        return Path(path)

    def _repr_png_(self) -> bytes | None:
        return bytes(self) if self.format == "png" else None

    def _repr_svg_(self) -> str | None:
        return self.decode("utf-8") if self.format == "svg" else None

    def __repr__(self) -> str:
        return f"<Picture {self.name}.{self.format}, {len(self):,} bytes>"


class Report(dict[str, Any]):
    """The comparison of the arms, with the keys that `GET /experiments/{id}/report` has."""

    @property
    def verdict(self) -> str:
        """The sentences on what was decided and what is open."""
        return str(self["verdict"]["text"])

    @property
    def headline(self) -> str:
        """The sentence on what is decided and what is open; empty where nothing is compared."""
        return str(self["verdict"].get("headline") or "")

    def _repr_html_(self) -> str:
        return notebook.verdict(self)


class Series(list[dict[str, Any]]):
    """Series as `{"run_id", "arm", "seed", "metric", "unit", "steps": [...], "values": [...], "total"}`.

    As a table it is long, a row for each point, with the columns run_id, arm, seed, metric, unit, step and value. With
    `wide` it has a column for each metric instead of the columns metric and value. What is not finite is missing.
    """

    def columns(self, *, wide: bool = False) -> dict[str, list[Any]]:
        """Return the table as a list for each column."""
        if wide:
            return self._wide()
        table: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        for one in self:
            for name in COLUMNS[:5]:
                table[name] += [one[name]] * len(one["steps"])
            table["step"] += one["steps"]
            table["value"] += one["values"]
        return table

    def _wide(self) -> dict[str, list[Any]]:
        names = list(dict.fromkeys(one["metric"] for one in self))
        keys = [name for name in COLUMNS[:5] if name != "metric"]
        rows: dict[tuple[Any, ...], dict[str, float | None]] = {}
        for one in self:
            for step, value in zip(one["steps"], one["values"], strict=True):
                rows.setdefault((*(one[key] for key in keys), step), {})[one["metric"]] = value
        table = {key: [row[i] for row in rows] for i, key in enumerate([*keys, "step"])}
        return table | {name: [values.get(name) for values in rows.values()] for name in names}

    def to_pandas(self, *, wide: bool = False) -> Any:
        """Return a `pandas.DataFrame`; raises `ImportError` where pandas is not installed."""
        columns, pandas = self.columns(wide=wide), _module("pandas")
        text = pandas.Series(["a"]).dtype  # what this version of pandas has for it
        return pandas.DataFrame(columns).astype(_typed(columns, "int64", text, "float64"))

    def to_polars(self, *, wide: bool = False) -> Any:
        """Return a `polars.DataFrame`; raises `ImportError` where polars is not installed."""
        polars, columns = _module("polars"), self.columns(wide=wide)
        return polars.DataFrame(columns, schema_overrides=_typed(columns, polars.Int64, polars.String, polars.Float64))

    def to_arrow(self, *, wide: bool = False) -> Any:
        """Return a `pyarrow.Table`; raises `ImportError` where pyarrow is not installed."""
        arrow, columns = _module("pyarrow"), self.columns(wide=wide)
        types = _typed(columns, arrow.int64(), arrow.string(), arrow.float64())
        return arrow.table({name: arrow.array(values, types[name]) for name, values in columns.items()})

    def _repr_html_(self) -> str:
        return notebook.series(self)


def _typed(columns: Iterable[str], count: Any, text: Any, measured: Any) -> dict[str, Any]:
    """Return the type of each column, which a table without rows has too."""
    known = dict.fromkeys(("run_id", "seed", "step"), count) | dict.fromkeys(("arm", "metric", "unit"), text)
    return {name: known.get(name, measured) for name in columns}


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"this needs {name}: pip install {name}", name=name) from error
