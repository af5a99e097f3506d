"""What a run costs: time and peak memory against lanes, parameters and data size, lanes beside the plain loop.

`python bench/curves.py` measures every point in a fresh process, prints tables, and writes bench/records/curves.json
and curves.png; `--device cuda` does so on a GPU (curves-cuda). A point is whole trainings, initial weights and the
evaluation of both splits after every epoch included, divided by their updates and runs. The plain loop is the
hand-written one of bench/peers.py, one run at a time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import record
from curves_picture import picture
from points import Point, measure
from pools import pool

from core.hardware import cores

Rows = Sequence[Mapping[str, Any]]
CURVES: dict[str, list[Point]] = {
    "lanes": [Point(2**i, 8, (256, 128), 3_125, 2) for i in range(10)],
    "parameters": [Point(8, 28, (width, width), 1_250, 2) for width in (16, 32, 64, 128, 256, 512, 1024, 2048)],
    "examples": [Point(8, 28, (256, 128), examples, 1) for examples in (1_000, 3_000, 10_000, 30_000, 100_000)],
}
TITLES = {
    "lanes": "lanes: MLP 64-256-128-10",
    "parameters": "parameters: MLP 784-w-w-10, 8 lanes",
    "examples": "examples: MLP 784-256-128-10, 8 lanes",
}


def curve(name: str, points: Sequence[Point], device: str) -> Rows:
    """Measure a curve's points and print them as a table."""
    print(f"\nagainst {TITLES[name]}, Adam, batch 100, dropout 0.2")
    print(f"  {name:>12s}  updates   lanes ms    loop ms   ratio  lanes MiB   loop MiB")
    rows = []
    for point in points:
        with pool(1, cores()) as fresh:
            (row,) = fresh(measure, point, device)
        rows.append(row)
        times = f"{row['lanes_ms']:10.4f} {row['loop_ms']:10.4f} {row['loop_ms'] / row['lanes_ms']:6.2f}x"
        print(
            f"  {row[name]:12,d} {row['updates']:8d} {times} {row['lanes_mib']:10.1f} {row['loop_mib']:10.1f}",
            flush=True,
        )
    return rows


def main() -> None:
    device = record.asked_device(__doc__)
    curves = {name: curve(name, points, device) for name, points in CURVES.items()}
    statistic = "ms an update and run: the median of the repeats that fit 0.6 s, of one where that takes over 2 s"
    record.write("curves", device, threads=cores(), statistic=statistic, curves=curves)
    path = record.FOLDER / f"{record.stem('curves', device)}.png"
    path.write_bytes(picture(curves, TITLES, record.described(device)))


if __name__ == "__main__":
    main()
