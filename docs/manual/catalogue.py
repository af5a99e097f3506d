"""A page of every catalogue entry, made from the registries: formula, picture, parameters, source."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from api.catalog_examples import asked_of
from api.routes.catalog import CATALOG
from core.analysis.findings import rules
from core.analysis.outcomes import outcomes
from core.metrics import metrics
from docs.manual.markdown import block, code, contents, prose, table, type_of
from docs.manual.pictures import drawn, entry_of

KINDS = {
    "initializers": "Initializers",
    "schedules": "Schedules",
    "optimizers": "Optimizers",
    "models": "Models",
    "layers": "Layers",
    "datasets": "Data sets",
    "plots": "Pictures",
}
IN_WORDS = ("plots", "datasets")
"""Kinds whose formulas are sentences."""
DIRECTIONS = {"max": "more is better", "min": "less is better", "none": "neither"}
CAPTIONS = {
    "initializers": "256 x 256 weights as they are drawn, and the law that they are of.",
    "schedules": "The rate of 1,000 updates, 100 an epoch; the base rate is 0.1.",
    "models": "The size of the signal from layer to layer before any training, of noise as pictures of 3 x 16 x 16.",
    "optimizers": "Its way down a valley of two weights, 30 times as steep across as along, at its own default rate.",
    "layers": "Of single numbers and its slope there, or of handwritten digits, untrained.",
    "datasets": "Some training examples, and how many there are of each class, or of each value of the target.",
    "plots": "Of a small experiment on digits.",
}


def catalogue_pages() -> Iterator[tuple[str, str]]:
    """Yield the pages of the catalogue by their paths: the list of all, of each kind, and each entry."""
    yield "catalogue/index.md", _all()
    for kind in CATALOG:
        found = [CATALOG[kind].describe(name) for name in CATALOG[kind]]
        yield f"catalogue/{kind}/index.md", _kind(kind, found)
        for entry in found:
            yield f"catalogue/{kind}/{entry['name']}.md", entry_page(kind, entry)
    yield "catalogue/metrics.md", _metrics()
    yield "catalogue/outcomes.md", _outcomes()
    yield "catalogue/findings.md", _findings()


def entry_page(kind: str, entry: Mapping[str, Any]) -> str:
    """Return the page of one entry, of what `GET /catalog/{kind}/{name}` says of it."""
    name = entry["name"]
    parts = [f"# {prose(name)}", prose(entry["summary"])]
    if kind in IN_WORDS:
        parts.append(prose(entry["formula"]))
    elif entry["formula"]:
        parts.append(block("{code-block} text", f":class: formula\n\n{entry['formula']}"))
    parts.append(f"Source: {prose(entry['source'])}." if entry["source"] else "")
    if entry["aliases"]:
        parts.append(f"Other names: {', '.join(code(alias) for alias in entry['aliases'])}.")
    for alias, defaults in entry["alias_defaults"].items():
        said = ", ".join(f"`{key}` is {code(value)}" for key, value in defaults.items())
        parts.append(f"Under the name `{alias}` {said}.")
    if kind == "plots" or drawn(kind, name):
        parts.append(f"![{name}](../../pictures/catalogue/{kind}-{name}.png)\n\n*{CAPTIONS[kind]}*")
    elif kind == "datasets":
        parts.append(f"Once it is there, `initlab preview dataset {name}` draws it.")
    parts.append(_parameters(entry["parameters"]))
    if kind == "layers":
        written = asked_of(kind, name)["layer"]
        parts += ["## In the layers of a sequential model", block("json", json.dumps(written, indent=2))]
    elif kind != "plots":
        given = entry_of(kind, name)
        spec = {kind.removesuffix("s"): given if len(given) > 1 else name}
        parts += ["## In a spec", block("json", json.dumps(spec, indent=2))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _parameters(schema: Mapping[str, Any]) -> str:
    properties = {key: value for key, value in schema.get("properties", {}).items() if key != "name"}
    if not properties:
        return "It has no parameters."
    required = schema.get("required", ())
    rows = [
        (
            code(key),
            type_of(one),
            "must be given" if key in required else code(one.get("default")),
            prose(one.get("description", "")),
        )
        for key, one in properties.items()
    ]
    return "## Parameters\n\n" + table(("parameter", "type", "default", "meaning"), rows)


def _all() -> str:
    lines = [
        "# Catalogue",
        "All that a spec can name, as this version has it: each with its formula, its source and its parameters. "
        "`initlab catalog` and `GET /catalog` say the same.",
    ]
    for kind, title in KINDS.items():
        names = ", ".join(f"[{prose(name)}]({kind}/{name}.md)" for name in CATALOG[kind])
        lines += [f"## [{title}]({kind}/index.md)", names]
    lines += [
        "## What is measured",
        "[Metrics](metrics.md), [outcomes](outcomes.md) that arms are compared by, and [findings](findings.md), what "
        "the report says of an arm's training.",
        contents([*(f"{kind}/index" for kind in KINDS), "metrics", "outcomes", "findings"]),
    ]
    return "\n\n".join(lines)


def _kind(kind: str, entries: list[dict[str, Any]]) -> str:
    rows = [
        (
            f"[{prose(one['name'])}]({one['name']}.md)",
            prose(one["summary"].partition("\n\n")[0]),
            ", ".join(map(code, one["aliases"])),
        )
        for one in entries
    ]
    made = table(("name", "in short", "other names"), rows)
    return f"# {KINDS[kind]}\n\n{made}\n{contents([one['name'] for one in entries])}"


def _metrics() -> str:
    rows = [
        (code(one.name), prose(one.label), DIRECTIONS[one.direction], one.per, ", ".join(one.tasks))
        for one in metrics.values()
    ]
    heads = ("metric", "label", "better", "measured every", "tasks")
    return f"# Metrics\n\nThe series that a training stores.\n\n{table(heads, rows)}"


def _outcomes() -> str:
    rows = [
        (code(one.name), prose(one.label), DIRECTIONS[one.direction], prose(one.explanation))
        for one in outcomes.values()
    ]
    said = "Numbers of a whole run that arms are compared by, beside the last and the best value of each metric."
    return f"# Outcomes\n\n{said}\n\n{table(('outcome', '', 'better', 'what it says'), rows)}"


def _findings() -> str:
    parts = [
        "# Findings",
        "What the report says is wrong with an arm's training, and the bounds that its numbers pass. Those about "
        'layers need `"diagnostics": {"every": 50}`.',
    ]
    for rule in rules.values():
        bounds = [(code(name), code(bound.value), prose(bound.meaning)) for name, bound in rule.bounds.items()]
        parts += [
            f"## {rule.label[0].upper()}{rule.label[1:]}",
            f"`{rule.name}`",
            table(("number", "bound", "meaning"), bounds),
        ]
    return "\n\n".join(parts)
