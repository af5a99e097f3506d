"""The optimizers of timm, the peers of some rules; the tests' alone."""

from typing import Any

from core.torchvision import load


def timm_optimizer(name: str) -> Any:
    """Return a class of `timm.optim`."""
    load()  # timm imports torchvision, which may need help
    from timm import optim  # noqa: PLC0415

    return getattr(optim, name)
