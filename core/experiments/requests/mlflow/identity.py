"""The rule by which a run of MLflow's is an arm and a seed: by what was logged of it, and by nothing else."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from core.letters import is_fit

ARM = "arm"
SEEDS = ("seed", "random_seed", "random_state")
"""The names of a seed, the first that there is."""
LONGEST = 120
OWN = "mlflow."
"""The beginning of tags that MLflow's client sets itself."""


class Identity(NamedTuple):
    """The arm and the seed of a run, None where nothing says so."""

    arm: str | None
    seed: int | None
    certain: bool
    """Both were named: nothing that is logged later changes them."""


def identity_of(params: Mapping[str, Any], tags: Mapping[str, Any]) -> Identity:
    """Return arm and seed of a run.

    The arm is the tag `arm`, else the param `arm`, else all params but the seed, as `a=1, b=2` by name. The seed is
    the tag `seed`, else the param `seed`, else the param `random_seed` or `random_state`: a whole number from 0.
    """
    said = dict(params) | {name: value for name, value in tags.items() if name in (ARM, SEEDS[0])}
    seeds = [(name, seed_of(said[name])) for name in SEEDS if name in said]
    seed = next((found for _, found in seeds if found is not None), None)
    if str(said.get(ARM, "")).strip():
        named = seed is not None and seeds[0][0] == SEEDS[0]
        return Identity(label_of(str(said[ARM])), seed, certain=named)
    settings = ", ".join(f"{name}={value}" for name, value in sorted(params.items()) if name not in SEEDS)
    return Identity(label_of(settings) if settings else None, seed, certain=False)


def seed_of(value: Any) -> int | None:
    """Return a seed that was logged as text, None where it is none."""
    match = re.fullmatch(r"\s*(\d{1,10})(?:\.0*)?\s*", str(value))
    found = int(match[1]) if match else None
    return found if found is not None and found < 2**31 else None


def label_of(text: str) -> str:
    """Return a text as the label of an arm: printable, and one that is too long cut, with a hash of all of it."""
    found = "".join(sign if is_fit(sign) else " " for sign in text).strip()
    if len(found) <= LONGEST:
        return found
    digest = hashlib.sha256(found.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{found[: LONGEST - 12]}... {digest}"


def config_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an arm shows of its settings: numbers and truths as such, as MLflow keeps all as text."""
    return {name: _value(str(value)) for name, value in sorted(params.items()) if name not in (ARM, *SEEDS)}


def _value(text: str) -> Any:
    if re.fullmatch(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d{1,2})?", text):
        return json.loads(text)
    return {"True": True, "False": False, "None": None}.get(text, text)
