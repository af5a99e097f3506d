"""Sources of randomness apart: each has its own seed, as the plain loop has it, and changes nothing but its own."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from core.datasets import DatasetPaths, load_per_seed
from core.design import SOURCES, Source
from core.spec import SourceSeeds, parse
from core.training import Checkpoint, MemoryRecorder, Stopped, lane_of, train, train_lanes, train_run
from tests.core.training.test_seed_splits import ARMS, BASE, DATA, FACTS
from tests.core.training.trials import arranged, assert_near, assert_same, trained

NOWHERE = DatasetPaths(Path("/nowhere"), Path("/nowhere"))
APART = {0: SourceSeeds(init=7, split=3, order=0, dropout=4), 3: SourceSeeds(init=0, split=5, order=0, dropout=9)}
"""Seeds of the sources of two runs' seeds: the first three seeds have splits in `DATA`."""
SPEC: dict[str, Any] = {
    "dataset": {"name": "two_spirals", "examples": 120},
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.2},
    "epochs": 2,
    "seeds": 2,
}


@pytest.mark.parametrize("layout", ["vmap", "loop"])
@pytest.mark.parametrize("shared", [True, False])
def test_each_source_has_its_own_seed_as_in_the_plain_loop(
    make_lanes: Any, layout: str, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that look at the split's data, its prior and its balance, batches, mixtures, crops and masks."""
    monkeypatch.setattr("core.training.lanes.grid.COPIED", 0 if shared else 2**16)
    more = {"augment": {"crop": 1, "flip": True}, "mixup": 0.3, "batch_size": 8}
    lanes = [replace(lane, apart=APART[lane.seed]) for lane in make_lanes(*ARMS, seeds=(0, 3), **BASE | more)]
    slow = MemoryRecorder()
    for lane in lanes:
        train_run(lane, DATA.of(lane.sources.split), FACTS, slow, dtype=torch.float64)
    assert_near(trained(lanes, DATA, FACTS, dtype=torch.float64, layout=layout), slow, rtol=1e-9, atol=1e-12)


def test_a_source_changes_nothing_but_its_own(make_lanes: Any) -> None:
    """The losses of a run, and of those that differ from it by one source."""
    (lane,) = make_lanes({"initializer": "he_normal"}, seeds=(3,), **BASE | {"class_weights": None, "epochs": 1})
    base = SourceSeeds(*[3] * 4)
    found = {
        source: trained([replace(lane, apart=base._replace(**{source: 5}))], DATA, FACTS).series[lane.run, "train_loss"]
        for source in SOURCES
    }
    own = trained([lane], DATA, FACTS).series[lane.run, "train_loss"]
    assert all(values.tobytes() != own.tobytes() for values in found.values())
    assert len({values.tobytes() for values in found.values()}) == len(SOURCES)
    same = trained([replace(lane, apart=base)], DATA, FACTS).series[lane.run, "train_loss"]
    assert same.tobytes() == own.tobytes()


def test_a_run_goes_on_from_its_checkpoint(make_lanes: Any, tmp_path: Path) -> None:
    lanes = [replace(lane, apart=APART[lane.seed]) for lane in make_lanes(*ARMS, seeds=(0, 3), **BASE)]
    whole, recorder, answers = trained(lanes, DATA, FACTS), MemoryRecorder(), iter([False] * 5)
    with pytest.raises(Stopped) as stop:
        train_lanes(lanes, DATA, FACTS, recorder, stopped=partial(next, answers, True))
    stop.value.checkpoint().write(tmp_path / "checkpoint")
    train_lanes(lanes, DATA, FACTS, recorder, **arranged(start=Checkpoint.read(tmp_path / "checkpoint")))
    assert_same(recorder, whole)


def test_only_what_varies_has_the_seed_of_the_run() -> None:
    spec = parse(SPEC | {"vary": ["init", "order"], "seeds": [4, 9, 11]})
    assert spec.sources(9) == SourceSeeds(init=9, split=4, order=9, dropout=4)
    assert spec.again == ["init", "order"]
    other = spec.sources(9, "order")
    assert other._replace(order=9) == spec.sources(9)
    assert other.order not in {4, 9, 11}
    assert (spec.sources(9, "rounding"), spec.sources(9, "order")) == (spec.sources(9), other)
    assert parse(SPEC).sources(3) == SourceSeeds(3, 3, 3, 3)
    assert parse(SPEC | {"vary": ["init"]}).again == []


def test_the_first_trainings_are_bit_for_bit_those_without_vary() -> None:
    """Where every source varies; and the second ones are plain runs whose seeds anybody can have again."""
    spec = parse(SPEC | {"vary": [*SOURCES]})
    results, plain = train(spec, NOWHERE), train(parse(SPEC | {"split": "per_seed"}), NOWHERE)
    assert [run.final for run in results.runs] == [run.final for run in plain.runs]
    assert list(results.varied) == list(SOURCES)
    assert len(results.trained) == 2 * 5
    data = load_per_seed(spec.dataset, spec.split_seeds, NOWHERE)
    info = spec.dataset.build().info(NOWHERE)
    for source, second in results.varied.items():
        for run in second.runs:
            lane = lane_of(spec, 0, spec.expanded[0].treatment, run.seed, source)
            slow = MemoryRecorder()
            train_run(lane, data.of(lane.sources.split), info, slow)
            assert slow.series[0, "valid_loss"][-1] == pytest.approx(run.final["valid_loss"], rel=1e-3), source
            own = next(one for one in results.runs if one.seed == run.seed)
            assert run.final["valid_loss"] != own.final["valid_loss"], source


@pytest.mark.parametrize("source", SOURCES)
def test_with_one_source_runs_differ_by_it_alone(source: Source) -> None:
    spec = parse(SPEC | {"vary": [source]})
    lanes = [lane_of(spec, seed, spec.expanded[0].treatment, seed, None) for seed in (0, 1)]
    first, second = (lane.sources for lane in lanes)
    assert {field for field in SOURCES if getattr(first, field) != getattr(second, field)} == {source}
    results = train(spec, NOWHERE)
    assert results.varied == {}
    assert results.runs[0].final != results.runs[1].final


def test_weights_that_are_drawn_again_are_those_of_the_runs() -> None:
    """The picture of initial weights has those of the source's seed: of every run the same where they do not vary."""
    spec = parse(SPEC | {"vary": ["order"], "initializer": "lsuv"})
    training = train(spec, NOWHERE).design.arms[0].training
    assert training is not None
    assert all(
        torch.equal(a, b) for a, b in zip(training.weights(0).values(), training.weights(1).values(), strict=True)
    )
