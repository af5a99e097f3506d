"""The first fifteen minutes on a GPU: what decides most comes first, and what fails costs nothing but its own time.

`python bench/first_gpu.py --to FOLDER` runs the parts in their order, each in a process group of its own that is ended
with its time, and leaves in the folder a log of each, the records, and `summary.json`, rewritten after every part.
`--list` prints the plan to the minute; `--part NAME`, which may be given again, runs a selection, for machines that are
lent for less than fifteen minutes at a time.

Python's standard library is enough for this script. Where a machine reaches no package registry, bring wheels, install
them by `python3 -m pip install --no-index --no-deps --target /tmp/site *.whl`, and set PYTHONPATH to this checkout and
/tmp/site.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r"mark\.gpu")
GRACE = 15.0
"""Seconds in which a part leaves that is told to: it writes what it has, and ends its service."""
LEAST = 10.0
"""A part for which less is left is not begun."""


class Part(NamedTuple):
    """A command and its time."""

    name: str
    seconds: float
    decides: str
    command: list[str]


def parts(to: Path) -> list[Part]:
    """Return the plan: it fits if every part takes all of its time."""
    python = sys.executable
    trainers = [python, "bench/trainers.py", "--device", "cuda", "--to", str(to)]
    tests = [python, "-m", "pytest", "-q", "--maxfail=20", "-p", "no:cacheprovider", "-m", "gpu"]
    study = [*trainers, "--study", "--repeats", "1"]
    return [
        Part("card", 20, "which card and driver it is, and what else is on it", ["nvidia-smi"]),
        Part("tests", 150, "correctness", [*tests, *marked()]),
        Part("study", 170, "the goal, in fp32", [*study, "--minutes", "2.6"]),
        Part(
            "cases",
            190,
            "the host's share, and the lead over the graphed peer",
            [*trainers, "--case", "mlp", "--case", "cnn", "--repeats", "1", "--minutes", "3"],
        ),
        Part(
            "layouts",
            120,
            "the layout of each network; memory against the plan",
            [python, "bench/layouts.py", "--device", "cuda", "--to", str(to)],
        ),
        Part("bf16", 95, "the goal in bf16", [*study, "--precision", "bf16", "--minutes", "1.4"]),
        Part("tf32", 110, "the goal in tf32", [*study, "--precision", "tf32", "--minutes", "1.7"]),
    ]


def marked() -> list[str]:
    """Return the files with tests that need a GPU: others may need packages that are not there."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path.relative_to(ROOT)) for path in files if MARKED.search(path.read_text(encoding="utf-8"))]


def run(part: Part, seconds: float, to: Path) -> dict[str, object]:
    """Run a part for at most so long, its output here and in its log; return how it ended."""
    begin = time.monotonic()
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    log = to / f"{part.name}.log"
    timed_out = False
    with log.open("w", encoding="utf-8") as sink:
        try:
            child = subprocess.Popen(
                part.command, cwd=ROOT, env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
            )
        except OSError as error:
            return {"rc": None, "failed": str(error)}
        try:
            child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _end(child)
    print("".join(log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)[-40:]), flush=True)
    return {"rc": child.returncode, "timed_out": timed_out, "seconds": round(time.monotonic() - begin, 1)}


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started in its session."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, word)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=GRACE)


def main() -> int:
    """Run the plan, or what was asked for of it; returns 1 where a part failed or was not begun."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--to", type=Path, default=ROOT / "bench" / "records", help="folder of logs and records")
    arguments.add_argument("--minutes", type=float, default=14.5, help="for all parts")
    arguments.add_argument("--part", action="append", help="only this one")
    arguments.add_argument("--list", action="store_true", help="print the plan")
    given = arguments.parse_args()
    to = given.to.resolve()
    plan = [part for part in parts(to) if given.part is None or part.name in given.part]
    if given.list:
        at = 0.0
        for part in plan:
            span = f"{at / 60:4.1f} - {(at + part.seconds) / 60:4.1f} min"
            print(f"{span}  {part.name:10s} {part.decides}\n{'':20s}{' '.join(part.command)}")
            at += part.seconds
        return 0
    to.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * given.minutes
    summary: dict[str, dict[str, object]] = {}
    for part in plan:
        left = end - time.monotonic() - GRACE
        print(f"== {part.name}: {part.decides}; {left:.0f} s left", flush=True)
        summary[part.name] = (
            run(part, min(part.seconds, left), to) if left > LEAST else {"rc": None, "failed": "no time"}
        )
        print(f"== {part.name}: {summary[part.name]}", flush=True)
        (to / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return int(any(found["rc"] != 0 for found in summary.values()))


if __name__ == "__main__":
    raise SystemExit(main())
