"""The kind of a file by its first bytes, for files whose names end as those of another kind."""

_MAGIC = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet (.zip, .xlsx)",
    b"\x1f\x8b": "packed with gzip (.gz)",
    b"PAR1": "Parquet (.parquet)",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls): save it as .xlsx or .csv",
    b"\x93NUMPY": "an array of NumPy (.npy): write x and y with numpy.savez, as .npz",
    b"%PDF": "a PDF",
}
START = 4096
"""Bytes that tell."""


def kind_of(start: bytes) -> str | None:
    """Return what a file is by its first bytes; None where they tell nothing, as those of a text."""
    return next((what for magic, what in _MAGIC.items() if start.startswith(magic)), None)


def is_text(start: bytes) -> bool:
    """Return True for bytes with no signs of control, as texts of most encodings have none."""
    return bool(start) and not set(start) & (set(range(32)) - set(b"\t\n\r\f"))
