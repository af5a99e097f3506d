"""Builders of specs: made from the catalogues, and read by them again."""

import inspect
import io
import pydoc
from pathlib import Path
from typing import Any

import pytest

from api.routes.catalog import CATALOG
from core.spec import Spec
from initlab import build
from tests.initlab import builders


@pytest.mark.parametrize(
    "path", [builders.PACKAGE / "build.json", builders.PACKAGE / "build.pyi"], ids=lambda p: p.name
)
def test_they_are_those_of_the_catalogues(path: Path) -> None:
    said = "run python -m tests.initlab.builders"
    assert path.read_text(encoding="utf-8") == builders.written()[path], said


def _builders() -> list[tuple[str, str]]:
    return [(kind, name) for kind in builders.KINDS for name in CATALOG[kind]]


@pytest.mark.parametrize(("kind", "name"), _builders(), ids=" ".join)
def test_an_entry_is_read_by_its_catalogue_with_all_its_defaults(kind: str, name: str) -> None:
    builder = getattr(getattr(build, kind), f"{name}_" if name == "lambda" else name)
    parameters = inspect.signature(builder).parameters.values()
    needed = [one.name for one in parameters if one.default is inspect.Parameter.empty]
    if needed:
        with pytest.raises(TypeError, match=needed[0]):
            builder()
        return
    defaults = {one.name: one.default for one in parameters}
    if kind == "layers":
        assert builder() == {name: {}}
        assert _layers(builder(**defaults)) == _layers(name)
    else:
        assert builder() == {"name": name}
        assert CATALOG[kind].parse(builder(**defaults)) == CATALOG[kind].parse(name)


def _layers(layer: Any) -> Any:
    return CATALOG["models"].parse(build.models.sequential(layers=[layer, build.layers.dense(units="outputs")]))


def test_a_whole_spec_is_what_was_given() -> None:
    spec = build.spec(
        name="weights",
        model=build.models.mlp(hidden=[8]),
        schedule=build.schedules.lambda_(fn="0.9 ** t"),
        seeds=2,
        arms=[
            build.arm("zeros", initializer=build.initializers.zeros()),
            build.arm("wide", {"optimizer.lr": 0.1}, initializer=build.initializers.uniform(low=-1.0)),
        ],
    )
    assert spec["arms"] == [
        {"label": "zeros", "initializer": {"name": "zeros"}},
        {"label": "wide", "initializer": {"name": "uniform", "low": -1.0}, "optimizer.lr": 0.1},
    ]
    assert spec["model"] == {"name": "mlp", "hidden": [8]}
    assert "epochs" not in spec
    assert [arm.label for arm in Spec.model_validate(spec).expanded] == ["zeros", "wide"]


def test_what_is_no_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="lo"):
        build.initializers.uniform(lo=1.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        build.spec(arm=[])  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        build.arm()  # type: ignore[call-arg]


def test_a_refusal_names_the_function_the_parameter_and_what_is_meant() -> None:
    words = r"^initializers\.uniform\(\) has no parameter 'lo'; did you mean 'low'\?"
    with pytest.raises(TypeError, match=words):
        build.initializers.uniform(lo=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^initializers\.zeros\(\) has no parameter 'x'; known: bias, output_bias"):
        build.initializers.zeros(x=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^arm\(\): missing a required argument: 'label'"):
        build.arm()  # type: ignore[call-arg]


def test_completion_and_help_know_names_parameters_and_defaults() -> None:
    assert {"uniform", "he_normal"} <= set(dir(build.initializers))
    parameters = inspect.signature(build.initializers.uniform).parameters
    assert (parameters["low"].default, parameters["high"].default) == (0.0, 1.0)
    text = io.StringIO()
    pydoc.Helper(output=text)(build.schedules.cosine)
    assert "eta_min: float = 0.0" in text.getvalue()
    assert "Source:" in text.getvalue()
    assert "he_normal" in repr(build.initializers)
