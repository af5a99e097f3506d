"""Files of weights: the tensors of a plain model by its own names, and a header that says what they are of."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from core.datasets import DatasetInfo
from core.errors import InitlabError
from core.failpoints import reached
from core.models import Model, models, on_meta
from core.registry import Entry
from core.spec import Treatment
from core.training.tensor_files import replacing

ABOUT = "initlab"
"""The key of the header's text."""
HEADER, ENTRY = 16_384, 128
"""Bytes that the header takes at most, beside its entries, and that the entry of a tensor takes beside its name."""


class NoWeights(InitlabError):
    """The file is none of weights that initlab has kept."""


def about_weights(treatment: Treatment, info: DatasetInfo, *, run: int, arm: str | None, seed: int) -> dict[str, Any]:
    """Return what the header of a run's weights says: whose they are, and what `load_model` builds the model with."""
    return {
        "run": run,
        "arm": arm,
        "seed": seed,
        "model": treatment.model.model_dump(),
        "inputs": list(info.inputs),
        "outputs": info.outputs,
        "task": info.task,
        "dataset": treatment.dataset.model_dump(),
    }


def write_weights(path: Path, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Write weights to a temporary file, sync it and rename it: the path always holds a whole file or none.

    `about` has at least `model`, the canonical entry, and what it is built with: `inputs`, the shape of one example,
    and `outputs`. Raises OSError.
    """
    reached("weights.before_write")
    with replacing(path, weights, {"format": "pt", ABOUT: json.dumps(about)}):
        pass


@lru_cache(maxsize=256)
def bytes_of(model: Entry, inputs: tuple[int, ...], outputs: int) -> int:
    """Return the bytes that a file of a model's weights has at most."""
    values = on_meta(model, inputs, outputs).state_dict()
    tensors = sum(len(name) + ENTRY + value.numel() * value.element_size() for name, value in values.items())
    whole: int = HEADER + len(model.model_dump_json()) + tensors
    return whole


def read_about(path: Path) -> dict[str, Any]:
    """Return what the header of a file says of its weights; raises `NoWeights`."""
    try:
        with safe_open(path, framework="pt") as file:
            return dict(json.loads((file.metadata() or {})[ABOUT]))
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise NoWeights(f"{path.name} is no file of weights that initlab has kept: {error}") from None


def load_model(path: Path) -> nn.Module:
    """Return the plain model of a file with its weights, for evaluation; raises `NoWeights`.

    It maps examples (batch, *inputs), as `Splits` has them, to outputs (batch, outputs), before softmax or sigmoid.
    """
    about = read_about(path)
    model: Model = models.parse(about["model"]).build()
    with torch.random.fork_rng(devices=[]):  # what its layers draw for themselves is replaced
        module = model(tuple(about["inputs"]), about["outputs"])
    module.load_state_dict(load_file(path))
    return module.eval()
