"""Examples of requests and answers for the OpenAPI document, by the name of the call: the files of `api/examples/`.

`requests` are written by hand: `{name: {"summary", "value"}}`. `answer` is what the service answered to the first, and
`python -m tests.api.test_documented_examples` asks it again.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("examples")


def examples() -> dict[str, dict[str, Any]]:
    """Return what each file holds, by the name of the call."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def add_examples(document: dict[str, Any]) -> None:
    """Write the examples into an OpenAPI document; raises `ValueError` for those of a call that it has not."""
    found = examples()
    for operations in document["paths"].values():
        for operation in operations.values():
            mine = found.pop(operation["operationId"], {})
            if "requests" in mine:
                (media,) = operation["requestBody"]["content"].values()
                media["examples"] = mine["requests"]
            if "answer" in mine:
                answered = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
                answered["content"]["application/json"]["examples"] = {"answer": {"value": mine["answer"]}}
    if found:
        raise ValueError(f"{FOLDER} has examples of no call: {', '.join(found)}")
