"""Run pytest, or a script, on the emulated CUDA device: `python -m tests.emulation -m gpu`, `... bench/trainers.py`."""

import os
import runpy
import sys
from pathlib import Path

from tests.emulation.guard import NoCompiler, load_guard


def main(arguments: list[str]) -> int:
    """Run a script with its arguments, or pytest with these."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        load_guard()
    except NoCompiler as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    first = Path(arguments[0]) if arguments else Path()
    if first.suffix == ".py" and not first.name.startswith("test_"):
        return _script(arguments)
    import pytest  # noqa: PLC0415  not for scripts

    return pytest.main(["-p", "tests.emulation.plugin", *arguments])


def _script(arguments: list[str]) -> int:
    from tests.emulation.runtime import emulated  # noqa: PLC0415  torch, which has to come after the guard

    sys.argv = arguments
    sys.path.insert(0, str(Path(arguments[0]).parent))
    with emulated():
        runpy.run_path(arguments[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
