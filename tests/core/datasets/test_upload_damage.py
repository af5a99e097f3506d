"""Parquet files with a byte that is wrong."""

from pathlib import Path

import numpy as np

from core.datasets._content import InvalidUpload
from tests.core.datasets.uploading import add, parquet_of


def test_a_damaged_parquet_file_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    data = parquet_of(t=["a", "b"] * 50, x=np.arange(100.0), y=[0, 1] * 50)
    sound = add(tmp_path, data, "t.parquet", target=["y"])
    for at in range(4, len(data), 23):
        torn = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        name = f"torn-{at}"
        try:
            add(tmp_path, torn, "t.parquet", name=name, target=["y"])
        except InvalidUpload:
            continue
    assert add(tmp_path, data, "t.parquet", target=["y"]) == sound
