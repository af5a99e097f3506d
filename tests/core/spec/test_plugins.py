"""A spec says which plug-ins it uses, and in which content; one that is stored can be read without them."""

from pathlib import Path
from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import Conflict, InvalidSpec
from core.experiments.requests import draft, fingerprint_of
from core.plugins import available
from core.spec import parse, parse_stored
from core.training import Profile
from core.training.designs import design_of
from tests.core.plugins.planting import initializer, metric, planted

LAYER = """
from torch import nn
from core.models.layers import Built, LayerBuilder, layers
@layers.register(formula="x", source="a test of 2026")
def same() -> LayerBuilder:
    \"\"\"Nothing.\"\"\"
    return lambda shape, outputs: Built({"": nn.Identity()}, shape)
"""
FILES = {"mine.py": initializer("made"), "other.py": LAYER}
SEQUENTIAL = {"name": "sequential", "layers": ["flatten", "same", {"dense": "outputs"}]}


@pytest.mark.parametrize(
    ("spec", "used"),
    [
        ({}, None),
        ({"initializer": "made"}, ["mine"]),
        ({"arms": [{"initializer": "he_normal"}, {"initializer": {"name": "made", "value": 1}}]}, ["mine"]),
        ({"initializer": {"name": "per_layer", "layers": {"fc1": "made"}}}, ["mine"]),
        ({"model": SEQUENTIAL}, ["other"]),
        ({"model": SEQUENTIAL, "grid": {"initializer": ["made", "zeros"]}}, ["mine", "other"]),
    ],
)
def test_it_names_the_plug_ins_whose_entries_it_names(tmp_path: Path, spec: dict[str, Any], used: Any) -> None:
    with planted(tmp_path, FILES):
        found = parse(spec)
        assert (found.plugins and sorted(found.plugins)) == used
        assert ("plugins" in found.canonical()) == (used is not None)
        assert parse(found.canonical()).canonical() == found.canonical()
        assert found.plugins is None or found.plugins == {name: available()[name] for name in used}


def test_every_run_is_judged_by_a_metric_and_so_every_spec_uses_its_plug_in(tmp_path: Path) -> None:
    with planted(tmp_path, FILES | {"judge.py": metric("luck")}):
        assert sorted(parse({}).plugins or ()) == ["judge"]
        assert sorted(parse({"initializer": "made"}).plugins or ()) == ["judge", "mine"]
        assert parse_stored({}).plugins is None  # of before


def test_another_content_is_another_experiment(tmp_path: Path) -> None:
    found = []
    for version in ("1.0", "1.1"):
        with planted(tmp_path, {"mine.py": initializer("made", version)}):
            found.append(fingerprint_of(parse({"initializer": "made"})))
    assert found[0] != found[1]


def test_a_content_that_is_not_here_is_refused(tmp_path: Path) -> None:
    def drafted(raw: dict[str, Any]) -> Any:
        spec = parse(raw)
        return draft(spec, fingerprint_of(spec), DatasetPaths(tmp_path, tmp_path), Profile.guess())

    with planted(tmp_path, {"mine.py": initializer("made")}):
        before = parse({"initializer": "made", "epochs": 1}).canonical()
        assert drafted(before).spec["plugins"] == before["plugins"]
    with planted(tmp_path, {"mine.py": initializer("made", "1.1")}):
        with pytest.raises(InvalidSpec, match=r"plugins.mine: is here with 1.1 \(content .{12}\), not 1.0 \(content"):
            drafted(before)
        with pytest.raises(InvalidSpec, match=r"plugins.mine: is not here, or nothing of it is used"):
            drafted(before | {"initializer": "zeros"})
        del before["plugins"]
        assert drafted(before).spec["plugins"]["mine"]["version"] == "1.1"


def test_what_was_stored_is_read_without_it_and_cannot_be_trained(tmp_path: Path) -> None:
    arms = [{"label": "own", "initializer": "made"}, {"label": "he", "initializer": "he_normal"}]
    with planted(tmp_path, FILES | {"judge.py": metric("luck")}):
        stored = parse({"arms": arms, "target": {"metric": "valid_luck", "value": 0.5}}).canonical()
    spec = parse_stored(stored)
    assert spec.canonical() == stored
    design = design_of(spec, task="multiclass", paths=DatasetPaths(tmp_path, tmp_path))
    assert [(arm.label, arm.training is None) for arm in design.arms] == [("own", True), ("he", False)]
    with pytest.raises(Conflict, match="'made' is of a plug-in that is not here any more"):
        spec.expanded[0].treatment.initializer.build()
    with pytest.raises(InvalidSpec, match="unknown initializer"):
        parse(stored)
