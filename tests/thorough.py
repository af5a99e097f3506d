"""Whether all cases are tried: `make test EVERY=1`, as CI does. A person waits for `make test`: it has a selection."""

import os

EVERY = bool(os.environ.get("INITLAB_TEST_EVERY"))
