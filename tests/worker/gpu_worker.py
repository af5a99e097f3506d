"""`python -m tests.worker.gpu_worker FILE ...`: a worker whose NVML is played over FILE, and whose CUDA computes."""

import sys
from functools import partial
from pathlib import Path

import pytest

from tests.nvml import Nvml
from worker import __main__, tasks
from worker.device_check import DeviceCheck

if __name__ == "__main__":
    patch = pytest.MonkeyPatch()
    Nvml(Path(sys.argv.pop(1))).install(patch)
    patch.setattr(tasks, "DeviceCheck", partial(DeviceCheck, compute=lambda: None))
    sys.exit(__main__.main())
