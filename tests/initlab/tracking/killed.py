"""A program that logs one run in children that are killed: `python -m tests.initlab.tracking.killed ID KILLS SEED`.

Each child opens the run, logs value(step) from `next_step` on, and after every `log` writes the step into memory that
it shares with its parent, which sends SIGKILL at a random moment. The last child is left to finish. Writes, as JSON,
for each child the step that it began at, and the last step whose `log` had returned when it was killed.
"""

import json
import mmap
import os
import random
import signal
import struct
import sys
import time

from initlab import Client
from initlab.tracking import sender

LONGEST_LIFE = 0.03
"""Seconds from a child's first point to its end; the sender looks at the disk ten times in it."""
LAST = 500
"""Steps that the child that is left alive adds."""


def value(step: int) -> float:
    """Return what is logged at a step, which no other step has."""
    return step * 0.5 + 0.25


def child(experiment: int, shared: mmap.mmap, last: int | None) -> None:
    """Log until killed, or so many steps."""
    sender.INTERVAL = LONGEST_LIFE / 10
    with Client().experiment(experiment).run("he", 0) as run:
        first = step = run.next_step
        struct.pack_into("<qq", shared, 0, first, step - 1)
        while last is None or step < first + last:
            run.log(step, loss=value(step), accuracy=-value(step))
            struct.pack_into("<q", shared, 8, step)
            step += 1
            if last is None and step % 16 == 0:
                time.sleep(0.0005)  # some 20,000 points a second are enough


def main(experiment: int, kills: int, seed: int) -> None:
    draw, found = random.Random(seed), []
    shared = mmap.mmap(-1, 16)
    for number in range(kills + 1):
        struct.pack_into("<qq", shared, 0, -1, -1)
        last = LAST if number == kills else None
        pid = os.fork()
        if pid == 0:
            child(experiment, shared, last)
            os._exit(0)
        if last is None:
            while struct.unpack_from("<q", shared, 8)[0] < max(0, struct.unpack_from("<q", shared, 0)[0]):
                time.sleep(0.0005)
            time.sleep(draw.uniform(0, LONGEST_LIFE))
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        assert status == (0 if last else signal.SIGKILL), status
        found.append(struct.unpack_from("<qq", shared, 0))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
