"""The pytest plugin that runs a session on the emulated device: `-p tests.emulation.plugin`."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.emulation.guard import load_guard

_session = ExitStack()


def pytest_load_initial_conftests() -> None:
    """Load the guard before anything imports torch."""
    load_guard()


def pytest_configure(config: pytest.Config) -> None:
    from tests.emulation.runtime import emulated  # noqa: PLC0415  torch, which has to come after the guard

    _session.enter_context(emulated())


def pytest_unconfigure(config: pytest.Config) -> None:
    _session.close()


@pytest.fixture(autouse=True)
def _nothing_has_happened() -> Iterator[None]:
    """Begin each test with a device on which nothing has happened yet."""
    from tests.emulation.state import device  # noqa: PLC0415

    device.clear()
    yield
    device.clear()
