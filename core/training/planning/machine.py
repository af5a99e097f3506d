"""This machine: its name, its free memory, and its profile, measured once and then stored.

`python -m core.training.planning.machine` measures, remembers and prints it; with `--remembered-or-measure` only where
nothing is remembered. A process of its own, so that whoever forks training processes needs no torch for it.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import torch

from core.hardware import FORMAT, cores, memory_limit, profile_file, this_machine
from core.settings import settings
from core.training.planning.calibration import CASES, SECONDS, Case, Share, measure
from core.training.planning.profile import Device, Profile

log = logging.getLogger(__name__)

PROCESS_BYTES = 2**30
"""Bytes that a training process may need; where memory allows fewer processes than cores, they get more threads."""


def free_memory() -> dict[Device, int]:
    """Return the free bytes of the machine and of one of its GPUs."""
    available = psutil.virtual_memory().available
    found: dict[Device, int] = {"cpu": min(available, memory_limit() or available)}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.mem_get_info()[0]
    return found


def calibrate(cases: Sequence[Case] = CASES, seconds: float = SECONDS, most_cores: int | None = None) -> Profile:
    """Measure this machine: some seconds, all its cores, and one GPU where it has any.

    Raises RuntimeError where a process ends before it has measured.
    """
    count = min(cores(), most_cores or cores())
    memory = free_memory()
    gpus = torch.cuda.device_count()
    processes = gpus or min(count, max(1, memory["cpu"] // PROCESS_BYTES))
    shares = [Share("cuda", gpus, max(1, count // gpus))] if gpus else []
    shares += dict.fromkeys([Share("cpu", processes, max(1, count // processes)), Share("cpu", 1, count)])
    return Profile(
        measured=True,
        machine=this_machine(),
        processes=processes,
        memory=memory,
        ways=measure(shares, cases, seconds),
    )


def guess() -> Profile:
    """Return this machine's guessed profile, before measurements; allocates nothing on a GPU."""
    if torch.cuda.is_available():
        return Profile.guess(cores(), device="cuda")
    return Profile.guess(cores(), free_memory()["cpu"])


def remembered(folder: Path) -> Profile | None:
    """Return this machine's profile stored in the folder; None where there is no usable one."""
    machine = this_machine()
    try:
        profile = Profile.model_validate_json(profile_file(folder).read_bytes())
    except (OSError, ValueError):  # not there; not ours, or cut off
        return None
    return profile if profile.format == FORMAT and profile.machine == machine else None


def remember(profile: Profile, folder: Path) -> None:
    """Store a profile in the folder as this machine's; where that fails, log a warning."""
    machine = this_machine()
    path = profile_file(folder)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.write_text(
            profile.model_copy(update={"machine": machine}).model_dump_json(indent=1), encoding="utf-8"
        )
        temporary.replace(path)
    except OSError as error:
        log.warning("the machine's profile cannot be kept, and will be measured again: %s", error)


def main() -> int:
    """Print the profile as JSON; returns 0."""
    arguments = argparse.ArgumentParser(
        prog="python -m core.training.planning.machine", description="Measure this machine."
    )
    arguments.add_argument("--remembered-or-measure", action="store_true", help="measure only what is not known")
    options = arguments.parse_args()
    folder = settings().cache
    profile = remembered(folder) if options.remembered_or_measure else None
    if profile is None:
        profile = calibrate()
        remember(profile, folder)
    sys.stdout.write(profile.model_dump_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
