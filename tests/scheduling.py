"""Has pytest-xdist run in one process the tests that share a started service; a plugin of pytest's.

By the ids of tests: groups by marks do nothing with pytest-xdist 3.8 on pytest 9.2, which makes ids another way.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

BACKENDS = ("sqlite+filesystem", "postgresql+redis")
"""A service on each database and each broker, as the ids of tests name it."""


class SharedServices(LoadFileScheduling):  # type: ignore[misc]  # which has no types
    """The tests of all files that share a service are one piece of work; of other files those of each."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        folder, name = file.rsplit("/", 1)
        if folder == "tests/service" and name != "test_chaos.py":
            return next((backend for backend in BACKENDS if backend in test), file)
        return next((one for one in ("tests/initlab", "tests/page") if file.startswith(one)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharedServices | None:
    """Schedule so for `--dist loadfile`."""
    return SharedServices(config, log) if config.getvalue("dist") == "loadfile" else None
