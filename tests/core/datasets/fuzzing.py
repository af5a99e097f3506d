"""Mutated files of every kind: `python -m tests.core.datasets.fuzzing 2000` tries so many of each.

A file is stored or refused as `InvalidUpload`, within seconds; whatever else is raised would be a 500. The seeds of the
mutations are their numbers, so that each can be made again.
"""

import io
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from core.datasets import Options, Uploads
from core.datasets._content import InvalidUpload
from tests.core.datasets.uploading import sheet, zipped

LONGEST = 20
"""Seconds after which a file is a hang."""
_SIGNS = [b'"', b",", b";", b"\n", b"\r", b"\0", b"\xff", b"\xfe\xff", b"?", b"%", b"e", b"-", b"1" * 400, b"'" * 9]
_WORDS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0"]


class Failure(NamedTuple):
    """A file that was neither stored nor refused."""

    kind: str
    seed: int
    error: str


class Hang(BaseException):
    """A file that takes too long."""


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the data after one to four changes: bytes turned, put in, taken out, doubled, or the end cut off."""
    for _ in range(rng.integers(1, 5)):
        at, size = (int(n) for n in rng.integers(0, [max(1, len(data)), 60]))
        how = rng.integers(0, 8)
        if how < 3:
            other = bytes([rng.integers(0, 256)]) if how else data[size : size + 1]
            data = data[:at] + other + data[at + 1 :]
        elif how == 3:
            data = data[:at] + data[at + size :]
        elif how == 4:
            data = data[:at] + data[at : at + size] * 3 + data[at + size :]
        elif how == 5:
            data = data[:at] + _SIGNS[rng.integers(len(_SIGNS))] + data[at:]
        elif how == 6:
            data = data[:at] + _WORDS[rng.integers(len(_WORDS))] + data[at + 4 :]
        else:
            data = data[: max(1, len(data) - int(rng.integers(0, 200)))]
    return data


def originals() -> dict[str, bytes]:
    """Return a sound file of every kind, by its ending."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"n": rng.normal(size=40), "k": rng.integers(0, 9, 40), "t": ["a b", 'c "d"'] * 20})
    frame["d"] = pd.date_range("1970-01-01", periods=40, freq="7h").date
    frame["s"], frame["z"] = (pd.date_range("2020-01-01", periods=40, freq="37min", tz=tz) for tz in (None, "UTC"))
    frame["p"], frame["y"] = [f"{v:,}" for v in rng.integers(0, 9999, 40)], ["no", "yes"] * 20
    table, packed = io.BytesIO(), io.BytesIO()
    frame.to_parquet(table)
    np.savez_compressed(
        packed, x=rng.normal(size=(20, 3)), y=np.arange(20) % 3, x_test=np.zeros((4, 3)), y_test=[0, 1, 2, 0]
    )
    made = {".csv": frame.to_csv(index=False).encode(), ".parquet": table.getvalue(), ".npz": packed.getvalue()}
    pictures = {}
    for i, form in enumerate(("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")):
        image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        exif = image.getexif()
        exif[0x0112] = 6
        out = io.BytesIO()
        image.convert("RGBA" if form == "PNG" else "RGB").save(out, form, exif=exif) if form in (
            "JPEG", "PNG", "WEBP", "TIFF") else image.save(out, form)  # fmt: skip
        pictures[f"{'cat' if i % 2 else 'dog'}/{i}.{form.lower()}"] = out.getvalue()
    made[".zip"] = zipped(pictures)
    made[".xlsx"] = sheet(["x", "y"], *([i / 3, "no" if i % 2 else "yes"] for i in range(20)))
    made[".jsonl"] = frame.to_json(orient="records", lines=True, date_format="iso").encode()
    return made


def broken(kind: str, data: bytes, seed: int) -> bytes:
    """Return the mutation of that number; of every other archive the files inside are changed, and packed soundly."""
    rng = np.random.default_rng([seed, len(kind)])
    if kind not in (".zip", ".npz", ".xlsx") or seed % 2:
        return mutated(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    chosen = list(inside)[rng.integers(len(inside))]
    return zipped(inside | {chosen: mutated(inside[chosen], rng)})


def attempt(folder: Path, kind: str, data: bytes) -> str:
    """Return "stored" or "refused"; raises what else comes of the file."""
    table = kind not in (".zip", ".npz")
    uploads = Uploads(folder)
    dated = ["d", "s", "z"] if kind in (".csv", ".parquet", ".jsonl") else []
    options = Options(target=["y"] if table else [], missing="impute" if table else None, numeric=dated)
    try:
        uploads.add(io.BytesIO(data), f"t{kind}", "mine", options)
    except InvalidUpload:
        return "refused"
    uploads.remove("mine")
    return "stored"


def fuzz(kind: str, data: bytes, seeds: range) -> tuple[Counter[str], float, list[Failure]]:
    """Try the mutations; return the counts of how they ended, the longest time in seconds, and the failures."""
    ends: Counter[str] = Counter()
    slowest, failures = 0.0, []
    signal.signal(signal.SIGALRM, _stop)
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            began = time.perf_counter()
            signal.alarm(LONGEST)
            try:
                ends[attempt(Path(folder), kind, broken(kind, data, seed))] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                ends["failed"] += 1
                failures.append(Failure(kind, seed, "".join(traceback.format_exception(error)[-3:])))
            finally:
                signal.alarm(0)
            slowest = max(slowest, time.perf_counter() - began)
    return ends, slowest, failures


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def main(count: int) -> int:
    """Print what came of so many mutations of every kind; return 1 where any failed."""
    failed = 0
    for kind, data in originals().items():
        ends, slowest, failures = fuzz(kind, data, range(count))
        failed += len(failures)
        sys.stdout.write(f"{kind}: {dict(ends)}, the slowest {slowest:.2f} s\n")
        for failure in failures[:5]:
            sys.stdout.write(f"  seed {failure.seed}: {failure.error}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
