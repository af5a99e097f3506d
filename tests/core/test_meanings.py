"""What the parameters of the catalogues mean."""

import pytest

from core.initializers import initializers
from core.initializers._meanings import MEANINGS as OF_INITIALIZERS
from core.models import models
from core.models._meanings import MEANINGS as OF_MODELS
from core.optimizers import optimizers
from core.optimizers._meanings import MEANINGS as OF_OPTIMIZERS
from core.registry import Registry
from core.schedules import schedules
from core.schedules._meanings import MEANINGS as OF_SCHEDULES

CATALOGUES = {
    "schedules": (schedules, OF_SCHEDULES),
    "initializers": (initializers, OF_INITIALIZERS),
    "optimizers": (optimizers, OF_OPTIMIZERS),
    "models": (models, OF_MODELS),
}


def _parameters(registry: Registry, name: str) -> dict[str, dict[str, str]]:
    found = registry.describe(name)
    properties = found["parameters"]["properties"]
    return {} if found["plugin"] else {key: about for key, about in properties.items() if key != "name"}


@pytest.mark.parametrize("kind", CATALOGUES)
def test_every_parameter_says_what_it_means(kind: str) -> None:
    registry, _ = CATALOGUES[kind]
    for name in registry:
        for parameter, about in _parameters(registry, name).items():
            said = about.get("description", "")
            assert said, f"{name}.{parameter}"
            assert not said.startswith("a number of the schedule's unit"), (
                f"{name}.{parameter} says no more than its type"
            )


@pytest.mark.parametrize("kind", CATALOGUES)
def test_no_meaning_is_of_a_parameter_that_is_gone(kind: str) -> None:
    registry, meanings = CATALOGUES[kind]
    parameters = {name: _parameters(registry, name) for name in registry}
    for key, meaning in meanings.items():
        entry, _, parameter = key.rpartition(".")
        found = [about[parameter] for name, about in parameters.items() if parameter in about and entry in ("", name)]
        assert any(about["description"].startswith(meaning) for about in found), key
