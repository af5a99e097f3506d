"""Settings of the tests' own, markers that deselect, and the plugins with databases, brokers and the scheduler."""

import gc
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from tests.thorough import EVERY, postgres_listens

# Before anything of initlab is imported: the tests never see a user's settings or data.
for name in list(os.environ):
    if name.startswith(("INITLAB_", "AWS_")) and not name.startswith("INITLAB_TEST_"):
        del os.environ[name]
os.environ["OMP_NUM_THREADS"] = "1"  # the tests' networks are tiny, and the services beside them need the other cores
os.environ["INITLAB_DATA_DIR"] = tempfile.mkdtemp(prefix="initlab-tests-")
os.environ["INITLAB_CACHE_DIR"] = os.path.join(os.environ["INITLAB_DATA_DIR"], "cache")

gc.disable()  # until all is imported: see pytest_collection

STORE = Path(__file__).parent / "core" / "store"
STORES = ("database", "backend", "empty_database_url")
"""Fixtures that have one value for each database, or each pair of database and broker."""

pytest_plugins = ["tests.backends", "tests.scheduling"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector off what was imported: it takes a second to look through torch, time and again."""
    os.environ.pop("COLUMNS", None)  # the width of the terminal, which tests that run side by side are told
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def _thinned(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the cases of tests marked `thin` that can be left out: of each parameter every value has enough others."""
    spread = sorted(items, key=lambda item: crc32(item.nodeid.encode()))  # those kept are of all kinds
    met: Counter[tuple[str, str, str]] = Counter()
    left_out: list[pytest.Item] = []
    for item in spread:
        mark = item.get_closest_marker("thin")
        if mark is None or not isinstance(item, pytest.Function):
            continue
        test = f"{item.path}::{item.originalname}"
        values = [(test, name, repr(value)) for name, value in item.callspec.params.items()]
        if all(met[value] >= mark.args[0] for value in values):
            left_out.append(item)
        else:
            met.update(values)
    return left_out


def _on_another_store(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests that run on another database or broker too: for each case one of them is kept, spread over all.

    But where the store itself is tried, and where only SQLite is.
    """
    if not postgres_listens():
        return []
    same: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and STORE not in item.path.parents and hasattr(item, "callspec"):
            values = [(name, value) for name, value in sorted(item.callspec.params.items()) if name not in STORES]
            if len(values) < len(item.callspec.params):
                same[f"{item.path} {item.originalname} {values!r}"].append(item)
    left_out = []
    for every in same.values():
        names = sorted(item.nodeid for item in every)
        kept = names[crc32(names[0].encode()) % len(names)]
        left_out += [item for item in every if item.nodeid != kept]
    return left_out


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, not skip, tests of a GPU or of an emulated one where there is none, and sabotage unless asked for.

    And for `make test` without `EVERY=1` most cases of large products, all databases but one, and what takes long.
    """
    if not EVERY:
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        left_out = {*thorough, *_thinned(items), *_on_another_store(items)}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
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
