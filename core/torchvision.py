"""The one place that imports torchvision."""

import importlib
import sys
from types import ModuleType

import torch

_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_registered: list[torch.library.Library] = []  # a registration lives as long as its object


def load() -> ModuleType:
    """Import and return torchvision, also where its compiled operators cannot load.

    PyPI's wheel is linked to CUDA. Beside a CPU build of torch its operators stay unknown, and the import fails where
    it describes them (pytorch#122494, vision#9077): they are declared then, without a body, and the import is tried
    again. Declaring them where they do load would abort the process, so this comes second.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    _registered.append(library)
    for operator, signature in _OPERATORS.items():
        library.define(operator + signature)  # type: ignore[no-untyped-call]
    return importlib.import_module("torchvision")
