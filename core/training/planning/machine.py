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

from core import gpus
from core.hardware import FORMAT, cores, memory_limit, profile_file, this_machine
from core.settings import settings
from core.training.planning.calibration import CASES, SECONDS, Case, Share, measure
from core.training.planning.profile import Device, Profile

log = logging.getLogger(__name__)

PROCESS_BYTES = 2**30
"""Bytes that a training process may need; where memory allows fewer processes than cores, they get more threads."""


def free_memory() -> dict[Device, int]:
    """Return the free bytes of the machine and of this process's GPU, on which CUDA is started for it.

    Memory of the GPU that torch holds and nothing uses is free too; what other processes have of it is not.
    """
    found: dict[Device, int] = {"cpu": _free_memory_of_cpu()}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return found


def calibrate(cases: Sequence[Case] = CASES, seconds: float = SECONDS, most_cores: int | None = None) -> Profile:
    """Measure this machine: some seconds, all its cores, and one GPU where it has any.

    Raises RuntimeError where a process ends before it has measured.
    """
    count = min(cores(), most_cores or cores())
    memory = free_memory()
    devices = _count_gpus()
    processes = devices or min(count, max(1, memory["cpu"] // PROCESS_BYTES))
    shares = [Share("cuda", devices, max(1, count // devices))] if devices else []
    shares += dict.fromkeys([Share("cpu", processes, max(1, count // processes)), Share("cpu", 1, count)])
    return Profile(
        measured=True,
        machine=this_machine(),
        processes=processes,
        memory=memory,
        ways=measure(shares, cases, seconds),
    )


def guess() -> Profile:
    """Return this machine's guessed profile, before measurements; allocates nothing on a GPU.

    A GPU of which the driver says nothing is guessed to have what `MEMORY` says: asking CUDA takes some of its memory.
    """
    if torch.cuda.is_available():
        return Profile.guess(cores(), _free_by_driver(), device="cuda", gpus=_count_gpus())
    return Profile.guess(cores(), _free_memory_of_cpu())


def known(folder: Path) -> Profile:
    """Return this machine's profile stored in the folder, with what is free on its GPUs now; else a guess."""
    profile = remembered(folder)
    if profile is None:
        return guess()
    free = _free_by_driver() if "cuda" in profile.memory else None
    return profile if free is None else profile.model_copy(update={"memory": profile.memory | {"cuda": free}})


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


def _free_memory_of_cpu() -> int:
    available: int = psutil.virtual_memory().available
    return min(available, memory_limit() or available)


def _free_by_driver() -> int | None:
    """Return the free bytes of the fullest of our GPUs; None where the driver does not say."""
    return gpus.free_bytes(gpus.visible())


def _count_gpus() -> int:
    """Return the number of GPUs that are ours, slices each for itself: of these CUDA shows a process one alone."""
    return (len(gpus.visible()) or torch.cuda.device_count()) if torch.cuda.is_available() else 0


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
