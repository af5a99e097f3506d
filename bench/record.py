"""What every record says of itself: the date, the hardware, the versions and how busy the machine was."""

import argparse
import json
import os
import platform
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import torch

from core.hardware import cores, processor

FOLDER = Path(__file__).parent / "records"
_load_before = os.getloadavg()[0]


def write(name: str, device: str = "cpu", **content: Any) -> None:
    """Keep `content` as bench/records/NAME.json, or NAME-cuda.json of what ran on a GPU."""
    write_into(FOLDER, name, device, content)


def write_into(folder: Path, name: str, device: str, content: Mapping[str, Any]) -> None:
    """Keep `content` in a folder."""
    load = {"before": round(_load_before, 2), "after": round(os.getloadavg()[0], 2)}
    about = {"date": date.today().isoformat(), "hardware": hardware(device), "versions": versions(device)}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem(name, device)}.json"
    part = path.with_suffix(".part")
    part.write_text(_compact(json.dumps(about | {"load_average": load} | dict(content), indent=1)) + "\n")
    part.replace(path)  # a record is whole, or the one before
    print(f"kept in {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def asked_device(description: str | None) -> str:
    """What `--device` says, cpu or cuda; leaves with one line where it is not there."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    device: str = arguments.parse_args().device
    require(device)
    print(described(device))
    return device


def require(device: str) -> None:
    """Leave with one line where the device is not there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device on this machine; nothing was measured")


def stem(name: str, device: str) -> str:
    """The record's name without its ending."""
    return name if device == "cpu" else f"{name}-{device}"


def hardware(device: str = "cpu") -> dict[str, Any]:
    """The processor, the cores and the memory; on a GPU the card and its memory too."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = {"cpu": processor(), "architecture": platform.machine(), "cores": cores(), "memory_gib": _gib(memory)}
    if device == "cuda":
        card = torch.cuda.get_device_properties(0)
        found |= {"gpu": card.name, "gpu_memory_gib": _gib(card.total_memory)}
    return found


def versions(device: str = "cpu") -> dict[str, str]:
    """Of Python and PyTorch, and of CUDA on a GPU."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    if device == "cuda":
        found["cuda"] = str(torch.version.cuda)
    return found


def described(device: str = "cpu") -> str:
    """Hardware and versions on one line, for tables and captions."""
    machine = hardware(device)
    names = [machine["gpu"]] if device == "cuda" else []
    names += [machine["cpu"], f"{machine['cores']} cores"]
    return ", ".join(names + [f"{name} {number}" for name, number in versions(device).items()])


def _gib(size: int) -> float:
    return round(size / 2**30, 1)


def _compact(text: str) -> str:
    """JSON with every list of numbers on one line."""
    return re.sub(
        r"\[[\d\s.,eE+-]+\]", lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(" ]", "]"), text
    )
