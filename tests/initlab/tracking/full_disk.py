"""A training whose disk is full for a time, or to its end: `full_disk.py lifted|kept`, beside a server or offline."""

import contextlib
import resource
import sys

import initlab

experiment = initlab.external(["he"], 1, {"loss": "min"}, name="full")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
with experiment.run("he", 0) as run:
    for step in range(100):
        run.log(step, loss=1.0)
        if step == 49:
            run.sync()
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # no file takes a byte more
    if sys.argv[1] == "lifted":
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
with contextlib.suppress(BrokenPipeError):
    sys.stdout.write("trained to the end")
