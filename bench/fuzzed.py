"""Random specs, one by its number: made from the OpenAPI document, or examples with something wrong in them."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"
DEEPEST = 6
"""Levels of entries and lists below which only the simplest alternatives are made."""
ODD: Sequence[Any] = (
    *(None, True, False, 0, 1, -1, 0.5, -0.0, 1e-300, 1e300, 2**31, 2**63, 2**64, -(2**70), 10**400, 1e16),
    *("", " ", "a", "0", "1e-3", "10%", "NaN", "constant", "he_normal", "x" * 1000, "\0", "\n", "\ud800", "ßüπ漢"),
    *("🦙" * 50, "a.b.c", "__class__", "{}", "' OR 1=1 --", "../../etc/passwd", "0 ** t ** t", "1 / 0 * t"),
    *([], {}, [[]], [None], [0] * 300, {"": {}}, {"name": None}, {"name": "zeros"}),
    {"name": "chained", "parts": ["cosine", "cosine"]},
)
RAW: Sequence[bytes] = (
    *(b"", b"{", b"[]", b"null", b"{}{}", b"\xff\xfe{}", b"[" * 20_000, b'{"a":' * 20_000, b'{"seeds": NaN}'),
    *(b'{"seeds": Infinity}', b'{"seeds": 1e999}', b'{"seeds": ' + b"9" * 5000 + b"}", b'{"seeds": 1, "seeds": 2}'),
    *(
        b'\xef\xbb\xbf{"seeds": 1}',
        b'{"name": "\xc3("}',
        b'{"name": "\\ud800"}',
        b'{"arms": [' + b"{}," * 300 + b"{}]}",
    ),
)


class Fuzzer:
    """Bodies of posts by number: the same number is the same body, of the same document and examples."""

    def __init__(self, document: dict[str, Any], seed: int = 0) -> None:
        self._schemas = document["components"]["schemas"]
        self._examples = [json.loads(path.read_text("utf-8")) for path in sorted(EXAMPLES.glob("*.json"))]
        self._seed = seed

    def body(self, number: int) -> bytes:
        """Return one body. It is JSON nearly always, and often a spec that can be trained."""
        draw = random.Random(f"{self._seed}/{number}")
        kind = draw.random()
        if kind < 0.02:
            return draw.choice(RAW)
        spec = self._made(draw, {"$ref": "#/components/schemas/Spec"}, 0) if kind < 0.4 else self._example(draw)
        for _ in range(draw.choice((0, 0, 1, 1, 2, 5))):
            _break(draw, spec)
        text = json.dumps(spec, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
        return text[: draw.randrange(len(text))] if kind > 0.99 else text

    def _example(self, draw: random.Random) -> dict[str, Any]:
        """Return an example made small, so that it is checked as quickly as a typical spec."""
        spec: dict[str, Any] = copy.deepcopy(draw.choice(self._examples))
        return spec | {"seeds": draw.choice((1, 2, [0, 3]))}

    def _made(self, draw: random.Random, schema: Any, depth: int) -> Any:
        """Return a value that a schema allows, more or less: numbers are small where it says nothing."""
        if not isinstance(schema, dict) or not schema:
            return draw.choice(ODD)
        if "$ref" in schema:
            return self._made(draw, self._schemas[schema["$ref"].rpartition("/")[2]], depth)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                options = schema[key]
                return self._made(draw, options[0] if depth > DEEPEST else draw.choice(options), depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draw.choice(schema["enum"])
        makers: dict[str, Callable[..., Any]] = {
            "object": self._object,
            "array": self._array,
            "integer": _integer,
            "number": _number,
            "string": _string,
            "boolean": _boolean,
        }
        kind = schema.get("type", "null")
        return makers[kind](draw, schema, depth) if kind in makers else None

    def _object(self, draw: random.Random, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        often = 0.25 if depth == 0 else 0.5
        fields = schema.get("properties", {})
        needed = schema.get("required", ())
        chosen = [name for name in fields if name in needed or name == "name" or draw.random() < often]
        return {name: self._made(draw, fields[name], depth + 1) for name in chosen}

    def _array(self, draw: random.Random, schema: dict[str, Any], depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        number = draw.randint(least, max(least, min(schema.get("maxItems", 3), 3)))
        return [self._made(draw, schema.get("items", {}), depth + 1) for _ in range(number)]


def _integer(draw: random.Random, schema: dict[str, Any], _: int) -> int:
    low, high = int(schema.get("minimum", schema.get("exclusiveMinimum", -5) + 1)), int(schema.get("maximum", 2**31))
    return draw.choice((low, draw.randint(low, min(high, low + 20)), draw.randint(low, min(high, low + 1000)), high))


def _number(draw: random.Random, schema: dict[str, Any], _: int) -> float:
    low = float(schema.get("minimum", schema.get("exclusiveMinimum", -10)))
    high = float(schema.get("maximum", schema.get("exclusiveMaximum", 10)))
    return draw.choice((low, high, draw.uniform(max(low, -10), min(high, 10)), 10 ** draw.uniform(-8, 1)))


def _boolean(draw: random.Random, *_: Any) -> bool:
    return draw.random() < 0.5


def _string(draw: random.Random, *_: Any) -> str:
    return draw.choice(("a", "valid_accuracy", "train_loss", "t + 1", "0.9 ** t", "fc1", "*.bias", "10%", "x y", "é"))


def _places(part: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return where the values stand in a document: (holder, key) of each."""
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, one in list(items):
        found.append((part, key))
        _places(one, found)
    return found


def _break(draw: random.Random, spec: dict[str, Any]) -> None:
    """Change one thing of a spec."""
    places = _places(spec, [])
    if not places:
        spec["seeds"] = draw.choice(ODD)
        return
    holder, key = draw.choice(places)
    way = draw.random()
    if way < 0.4:
        holder[key] = copy.deepcopy(draw.choice(ODD))
    elif way < 0.55:
        del holder[key]
    elif way < 0.7:  # another part of it: an initializer where a schedule should be
        other, place = draw.choice(places)
        holder[key] = copy.deepcopy(other[place])
    elif way < 0.8 and isinstance(holder, dict):
        holder[draw.choice(("nmae", "optimizer.lr", "model.hidden", "a" * 200, "\0", "grid", "arms"))] = holder[key]
    elif way < 0.9 and isinstance(holder[key], int | float) and abs(holder[key]) < 1e100:
        holder[key] *= draw.choice((-1, 10, 1000, 1e9, 1e-9, 0))
    else:
        for _ in range(draw.choice((1, 3, 40))):
            holder[key] = [holder[key]] if draw.random() < 0.5 else {"after": holder[key]}
