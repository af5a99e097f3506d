"""The API reference, made from the OpenAPI document: a page for each tag."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from api.app import create_app
from core.settings import Settings
from docs.manual.markdown import block, code, contents, prose, table, type_of

PROBLEMS = "#/components/responses/"
MOST_LINES = 80
"""Of an example; longer ones are at /docs."""
INTRODUCTION = """
Every call of the API, as this version has it. The service has the same at <a href="/openapi.json">/openapi.json</a> for
programs, and at <a href="/docs">/docs</a>, where calls can be tried. A problem is `application/problem+json` with
`title`, `detail` and, where fields are wrong, `errors` with the path of each.
"""


def document() -> dict[str, Any]:
    """Return the OpenAPI document of this version."""
    return create_app(Settings()).openapi()


def reference_pages(api: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the pages by their paths: one of each tag, and the list of all calls."""
    calls: dict[str, list[tuple[str, str, dict[str, Any]]]] = defaultdict(list)
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            (tag,) = operation["tags"]
            calls[tag].append((method.upper(), path, operation))
    for tag, found in calls.items():
        parts = [f"# {tag.capitalize()}", *(_call(method, path, operation) for method, path, operation in found)]
        yield f"api/{tag}.md", "\n\n".join(parts)
    rows = [
        (code(f"{method} {path}"), prose(_first(operation)), f"[{tag}]({tag}.md)")
        for tag, found in calls.items()
        for method, path, operation in found
    ]
    yield "api/index.md", f"# API\n{INTRODUCTION}\n{table(('call', 'does', 'more'), rows)}\n{contents(calls)}"


def _call(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"## {method} {prose(path)}", prose(operation.get("description", ""))]
    given = [
        (code(one["name"]), one["in"], type_of(one["schema"]), prose(one.get("description", "")))
        for one in operation.get("parameters", ())
    ]
    if given:
        parts.append(table(("parameter", "in", "type", "meaning"), given))
    if "requestBody" in operation:
        for media, content in operation["requestBody"]["content"].items():
            parts.append(f"Takes {type_of(content['schema'])} as `{media}`.")
            parts += [
                f"{prose(one.get('summary', 'Example'))}:\n\n{_example(one['value'])}"
                for one in list(content.get("examples", {}).values())[:1]
            ]
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            parts += _answer(status, answer)
    problems = [status for status, answer in operation["responses"].items() if PROBLEMS in answer.get("$ref", "")]
    known = ", ".join(code(status) for status in sorted(problems) if status != "default")
    return "\n\n".join([*filter(None, parts), f"Problems: {known}." if known else ""])


def _answer(status: str, answer: Mapping[str, Any]) -> Iterator[str]:
    medias = answer.get("content", {})
    types = dict.fromkeys(type_of(content["schema"]) for content in medias.values() if content.get("schema"))
    of = f" {' or '.join(types)} as" if types else ""
    yield f"Answers {status}{' with' if medias else ''}{of} {', '.join(map(code, medias))}".rstrip() + "."
    for content in medias.values():
        for example in content.get("examples", {}).values():
            yield _example(example["value"])


def _example(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        return f"{block('text', chr(10).join([*lines[:MOST_LINES], '…']))}\n\nThe rest is at `/docs`."
    return block("json", text)


def _first(operation: Mapping[str, Any]) -> str:
    return str(operation.get("description", "")).partition("\n\n")[0]
