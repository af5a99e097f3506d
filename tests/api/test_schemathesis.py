"""The API does what its OpenAPI document says, tried by schemathesis with all of its checks.

`python -m tests.api.test_schemathesis 500` tries so many examples of every call instead of a few.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import SchemathesisConfig

from api.app import create_app
from core.settings import Settings
from core.store import Database
from core.store.migrate import upgrade
from tests.api.document import DOCUMENT

EXAMPLES = 4
NOT_TRIED = {"stream_events": "a stream that ends with its experiment: test_events.py"}

REFUSED_FOR_ITS_MEANING = ["2xx", "401", "403", "404", "409", "413", "422", "429"]
"""What a request may be answered with that its schema allows: a schema cannot say that labels differ, that a schedule
is as long as its run, or that a file holds a table."""
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": REFUSED_FOR_ITS_MEANING},
            "ignored_auth": {
                "enabled": False
            },  # without keys nobody needs one: test_route_contract.py has the refusals
        }
    }
)


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as schemathesis can make examples of it.

    Entries inside of entries are named only, which ends; and an entry is any of its catalogue's, not exactly one.
    """
    kinds = ("Schedule", "Initializer")

    def cut(part: Any) -> Any:
        if isinstance(part, list):
            return [cut(one) for one in part]
        if not isinstance(part, dict):
            return part
        nested = part.get("$ref") in [f"#/components/schemas/{kind}" for kind in kinds]
        return {key: f"{value}Name" if nested and key == "$ref" else cut(value) for key, value in part.items()}

    schemas = document["components"]["schemas"]
    entries = {name for name in schemas if name.endswith(kinds) and name not in kinds}
    flat = {name: cut(schema) if name in entries else schema for name, schema in schemas.items()}
    flat |= {name: {"anyOf": schema["oneOf"]} for name, schema in schemas.items() if "discriminator" in schema}
    return document | {"components": document["components"] | {"schemas": flat}}


SCHEMA = schemathesis.openapi.from_dict(_flat(DOCUMENT), config=CONFIG)
OPERATIONS: dict[str, Any] = {
    one.definition.raw["operationId"]: one
    for one in (found.ok() for found in SCHEMA.get_all_operations())  # type: ignore[union-attr]
}


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve an application in this process; yields its address."""
    config = Settings(data_dir=folder, sweep_seconds=3600)
    database = Database(config.database)
    upgrade(database.engine)
    database.dispose()
    server = uvicorn.Server(uvicorn.Config(create_app(config), port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            threading.Event().wait(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service."""
    with _served(tmp_path_factory.mktemp("served")) as address:
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in NOT_TRIED])
def test_it_answers_as_documented(url: str, name: str) -> None:
    _try(OPERATIONS[name], url, EXAMPLES)


def _try(operation: Any, url: str, examples: int) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def conforms(case: Any) -> None:
        case.call_and_validate(base_url=url, timeout=120)

    conforms()


def main(examples: int) -> None:
    """Try so many examples of every call, and say of each that it holds; the first that does not is raised."""
    with TemporaryDirectory() as folder, _served(Path(folder)) as address:
        for name, operation in OPERATIONS.items():
            if name not in NOT_TRIED:
                _try(operation, address, examples)
                sys.stdout.write(f"{name}: {examples} examples hold\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
