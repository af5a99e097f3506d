"""The guard: a small library that tells PyTorch of a CUDA device, built once and loaded before torch is imported."""

import ctypes
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("guard.cpp")
_loaded = list[ctypes.CDLL]()
BUILT = Path(__file__).parents[2] / "var" / "emulation"


class NoCompiler(Exception):
    """g++ is missing."""


def load_guard() -> None:
    """Build the guard where that was not yet done, and load it.

    Raises NoCompiler, and RuntimeError where torch is there already: it asks for its devices while it is imported.
    """
    if _loaded:
        return
    if "torch" in sys.modules:
        raise RuntimeError("torch was imported before the emulated device: start by `python -m tests.emulation`")
    torch = _torch()
    guard = _built(torch)
    for library in ("libc10.so", "libtorch_cpu.so"):
        ctypes.CDLL(str(torch / "lib" / library), ctypes.RTLD_GLOBAL)
    _loaded.append(ctypes.CDLL(str(guard)))


def _torch() -> Path:
    spec = importlib.util.find_spec("torch")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _built(torch: Path) -> Path:
    """Return the guard's library for this torch and this source."""
    library = BUILT / importlib.metadata.version("torch") / "guard.so"
    if library.exists() and library.stat().st_mtime >= SOURCE.stat().st_mtime:
        return library
    compiler = shutil.which("g++")
    if compiler is None:
        raise NoCompiler("the emulated device needs g++ (Debian, Ubuntu: apt-get install g++)")
    library.parent.mkdir(parents=True, exist_ok=True)
    include, mine = torch / "include", library.with_suffix(f".{os.getpid()}")
    subprocess.run(
        [
            compiler, "-shared", "-fPIC", "-O1", "-std=c++20", f"-I{include}", f"-I{include}/torch/csrc/api/include",
            str(SOURCE), "-o", str(mine), f"-L{torch}/lib", "-ltorch_cpu", "-lc10",
        ],
        check=True,
    )  # fmt: skip
    mine.replace(library)  # of several processes that build at once, each leaves a whole one
    return library
