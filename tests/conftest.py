"""What every test stands on: settings of its own, and databases made by the migrations."""

import os
import tempfile

# Before anything of initlab is imported: the tests never see a user's settings or data.
for name in [name for name in os.environ if name.startswith("INITLAB_") and not name.startswith("INITLAB_TEST_")]:
    del os.environ[name]
os.environ["OMP_NUM_THREADS"] = "1"  # the tests' networks are tiny, and the services beside them need the other cores
os.environ["INITLAB_DATA_DIR"] = tempfile.mkdtemp(prefix="initlab-tests-")
os.environ["INITLAB_CACHE_DIR"] = os.path.join(os.environ["INITLAB_DATA_DIR"], "cache")

pytest_plugins = ["tests.backends"]
