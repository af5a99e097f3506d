"""Torchvision's classification models."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from torch import nn
from torch.overrides import TorchFunctionMode

from core.models import Model, StochasticDepth, models
from core.models._branches import mark_branches
from core.models._sizes import picture
from core.registry import unknown
from core.torchvision import load

_OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}
_SIDE = {"vit": "image_size", "maxvit": "input_size"}
"""The option that sets the picture's size, of the families that are built for one size."""


def _known(name: str) -> str:
    catalogue = load().models
    names = catalogue.list_models(module=catalogue)
    if name not in names:
        problem = unknown("torchvision model", name, names)
        raise PydanticCustomError("catalog", "not a torchvision model", {"problems": [problem]})
    return name


@models.register(
    formula="get_model(model, weights=None, num_classes=outputs) of torchvision.models",
    source="torchvision.models, https://docs.pytorch.org/vision/stable/models.html#classification",
)
def torchvision(*, model: Annotated[str, Field(max_length=100), AfterValidator(_known)]) -> Model:
    """The classification model that torchvision calls `model`, without weights, such as resnet18.

    It takes pictures of 3 channels; grey ones are repeated. inception_v3 and googlenet come without their auxiliary
    outputs. Pictures that the model cannot take, mostly too small ones, are refused.
    """

    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        channels, height, width = picture(inputs)
        if channels not in (1, 3):
            raise ValueError(f"{model} takes grey or colour pictures; these have {channels} channels")
        refusal = _refusal(model, inputs)
        if refusal is not None:
            raise ValueError(f"{model} cannot take pictures of {height} x {width}: {refusal}")
        return _made(model, inputs, outputs)

    return build


def _made(model: str, inputs: tuple[int, ...], outputs: int) -> nn.Module:
    options = _OPTIONS.get(model, {})
    side = _SIDE.get(model.split("_")[0])
    if side is not None:
        options = {side: inputs[1] if side == "image_size" else inputs[1:]}
    with _counted_in_tensors(model):
        module: nn.Module = load().models.get_model(model, weights=None, num_classes=outputs, **options)
    if inputs[0] == 1:
        module.register_forward_pre_hook(_coloured)
    _make_stackable(module)
    mark_branches(module)
    return module


@lru_cache(maxsize=1024)  # the first pass on the meta device loads torch's compiler, and a model is built many times
def _refusal(model: str, inputs: tuple[int, ...]) -> str | None:
    """Return the reason why the model cannot take pictures of this size; None where it can."""
    try:
        with torch.device("meta"), torch.no_grad():
            _made(model, inputs, 1).eval()(torch.empty(1, *inputs))
    except (RuntimeError, ValueError, AssertionError) as error:
        return str(error)
    return None


class _Counting(TorchFunctionMode):
    """Keeps the tensors that a constructor counts with off the meta device, where they would have no values."""

    def __torch_function__(
        self, func: Callable[..., Any], _types: Sequence[type], args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        here = {"device": "cpu"} if func in (torch.arange, torch.tensor) else {}
        return func(*args, **here | (kwargs or {}))


def _counted_in_tensors(model: str) -> AbstractContextManager[Any]:
    """Return the context to build a model in: RegNets compute their widths with torch.arange and torch.tensor."""
    return _Counting() if model.startswith("regnet") else nullcontext()


def _coloured(_module: nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    return (inputs[0].expand(-1, 3, -1, -1),)


class _Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3), keepdim=True)


def _make_stackable(module: nn.Module) -> None:
    """Put what `torch.func.vmap` can batch in the place of what it cannot; the function stays the same.

    Stochastic depth is given the class that the trainer pairs across runs.
    """
    for name, layer in list(module.named_modules()):
        if isinstance(layer, load().ops.StochasticDepth):
            module.set_submodule(name, StochasticDepth(layer.p))
        elif isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1, 1)):
            module.set_submodule(name, _Mean())
        elif isinstance(layer, nn.MultiheadAttention):
            layer.register_forward_pre_hook(_spelled_out, with_kwargs=True)


def _spelled_out(_attention: nn.Module, inputs: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Make attention use plain products: torch has fused kernels where no weights are asked for, and in evaluation
    where query, key and value are one tensor.
    """
    query, key, value = inputs
    return (query, key.view_as(key), value), options | {"need_weights": True}
