"""The place of the server's packages: inside this one where initlab was installed, beside it in a checkout."""

from pathlib import Path


def server_path() -> str:
    """Return the folder that has `api`, `core`, `worker` and `migrations`; on `sys.path` it makes `import core` work.

    In site-packages they lie inside of initlab, so that they meet no other distribution's packages of these names.
    """
    here = Path(__file__).parent
    installed = here / "_server"
    return str(installed if installed.is_dir() else here.parent)
