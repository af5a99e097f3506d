from collections.abc import Callable

import pytest
from pydantic_core import PydanticCustomError
from torch import nn

from core.errors import Problem
from core.models import models

BuildModel = Callable[..., nn.Module]
Refusals = Callable[..., list[Problem]]


@pytest.fixture
def build_model() -> BuildModel:
    """`build_model(name, inputs, outputs, **parameters)`."""

    def build(name: str, inputs: tuple[int, ...], outputs: int, **parameters: object) -> nn.Module:
        module = models.parse({"name": name, **parameters}).build()(inputs, outputs)
        assert isinstance(module, nn.Module)
        return module

    return build


@pytest.fixture
def refusals() -> Refusals:
    """`refusals(name, **parameters)`: the problems of parameters that are not taken."""

    def refused(name: str, **parameters: object) -> list[Problem]:
        with pytest.raises(PydanticCustomError) as caught:
            models.parse({"name": name, **parameters})
        problems: list[Problem] = (caught.value.context or {})["problems"]
        return problems

    return refused
