"""Has the machine measured before training begins: plans are made from what it can do."""

import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

log = logging.getLogger(__name__)

MEASURE = ("core.training.planning.machine", "--remembered-or-measure")
PATIENCE = 120.0
"""Seconds until a measurement that does not end is given up."""


def measure_machine(module: Sequence[str] = MEASURE) -> None:
    """Measure once what this machine can do; a process of its own does it, since it computes with torch.

    What it finds it remembers for the training processes. A worker whose machine cannot be measured trains all the
    same: whatever goes wrong is logged and no more.
    """
    log.info("measuring this machine (some seconds, once)")
    before = signal.signal(signal.SIGTERM, _leave)  # by its default the measuring process would be left behind
    try:
        ended = subprocess.run(
            [sys.executable, "-m", *module], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("the machine could not be measured: %s", error)
        return
    finally:
        signal.signal(signal.SIGTERM, before)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
        log.warning("the machine could not be measured (code %d): %s", ended.returncode, last)
    else:
        log.info("this machine: %s", ended.stdout.strip())


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
