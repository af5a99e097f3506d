"""Settings of the tests' own, markers that deselect, and the plugin with databases and brokers."""

import gc
import os
import tempfile
from collections.abc import Iterator

import pytest

# Before anything of initlab is imported: the tests never see a user's settings or data.
for name in [name for name in os.environ if name.startswith("INITLAB_") and not name.startswith("INITLAB_TEST_")]:
    del os.environ[name]
os.environ["OMP_NUM_THREADS"] = "1"  # the tests' networks are tiny, and the services beside them need the other cores
os.environ["INITLAB_DATA_DIR"] = tempfile.mkdtemp(prefix="initlab-tests-")
os.environ["INITLAB_CACHE_DIR"] = os.path.join(os.environ["INITLAB_DATA_DIR"], "cache")

gc.disable()  # until all is imported: see pytest_collection

pytest_plugins = ["tests.backends"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector off what was imported: it takes a second to look through torch, time and again."""
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, not skip, tests of a GPU or of an emulated one where there is none, and sabotage unless asked for."""
    if "sabotage" not in (config.option.markexpr or ""):
        sabotages = [item for item in items if item.get_closest_marker("sabotage")]
        config.hook.pytest_deselected(items=sabotages)
        items[:] = [item for item in items if item not in sabotages]
    if not config.pluginmanager.hasplugin("tests.emulation.plugin"):
        of_emulation = [item for item in items if item.get_closest_marker("emulated")]
        config.hook.pytest_deselected(items=of_emulation)
        items[:] = [item for item in items if item not in of_emulation]
    of_gpu = {item.nodeid for item in items if item.get_closest_marker("gpu")}
    if not of_gpu:
        return
    import torch  # noqa: PLC0415  not before the settings above, nor for tests that need none

    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in of_gpu])
        items[:] = [item for item in items if item.nodeid not in of_gpu]
