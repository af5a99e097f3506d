"""The same spec, the same bits: whatever the plan, the company, the number of workers, and the interruptions."""

import random
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.datasets import DatasetPaths, Splits
from core.optimizers import optimizers
from core.spec import ArmInfo, Spec, parse, size
from core.training import Checkpoint, Lane, MemoryRecorder, Profile, TrainOptions, make_plan, train, train_lanes
from core.training.options import Resume
from core.training.planning.arrangement import arrange
from tests.core.training.trials import CHOICES, made, rule

MODELS: list[tuple[dict[str, Any], tuple[int, ...]]] = [
    ({"name": "mlp", "hidden": [16, 32], "dropout": 0.3}, (5,)),
    ({"name": "mlp", "hidden": [16]}, (3, 9, 7)),
    ({"name": "mlp", "hidden": [7, 3], "activation": "gelu", "norm": "layer_norm"}, (11,)),
    ({"name": "mlp", "hidden": [6, 6], "norm": "batch_norm", "dropout": 0.2}, (11,)),
    ({"name": "cnn", "channels": [3], "dense": [5]}, (1, 8, 8)),
    ({"name": "transformer", "d_model": 8, "layers": 1, "heads": 2}, (5,)),
]
"""Models with the shape of their examples: of each kind of layer, of odd sizes and of whole ones."""
ARMS: list[dict[str, Any]] = [
    {"initializer": "he_normal"},
    {"initializer": "glorot_uniform", "optimizer.lr": 0.002},
    {"schedule": "cosine"},
]
SEEDS = [7, 0, 3]
Bits = dict[tuple[str, int, str], bytes]
"""Every point of every run, by arm, seed and metric."""

specs = st.builds(
    lambda model, program, batch, layout, augment: (
        parse(
            {
                "model": model[0],
                "optimizer": rule(program),
                "batch_size": batch,
                "epochs": 2,
                "layout": layout,
                "arms": [{"label": f"{i}"} | arm for i, arm in enumerate(ARMS)],
                "seeds": SEEDS,
                **({"augment": {"crop": 1, "flip": True}} if augment and len(model[1]) == 3 else {}),
            }
        ),
        model[1],
    ),
    st.sampled_from(MODELS),
    st.sampled_from([*optimizers, *CHOICES]),
    st.sampled_from([7, 16, 20]),
    st.sampled_from(["auto", "loop", "vmap"]),
    st.booleans(),
)


def described(spec: Spec, inputs: tuple[int, ...]) -> tuple[Splits, list[ArmInfo]]:
    data, info = made(inputs, train=34, valid=12)
    steps = -(-info.train // spec.batch_size)
    whole = size(spec.model, info.inputs, info.outputs)
    return data, [ArmInfo(info, whole, steps, steps * spec.epochs)] * len(spec.expanded)


def bits(spec: Spec, inputs: tuple[int, ...], profile: Profile, order: random.Random, stops: int = 0) -> Bits:
    """Train a spec as planned on some machine, its runs given in any order, interrupted after every epoch or never."""
    data, infos = described(spec, inputs)
    found: Bits = {}
    for cohort in make_plan(spec, infos, profile).cohorts:
        lanes = [Lane(3 * i + spec.seed_list.index(s), spec.expanded[i].treatment, s) for i, s in cohort.members]
        order.shuffle(lanes)
        recorder, options = MemoryRecorder(), TrainOptions.of(spec, "cpu", cohort.layout)
        start: Checkpoint | None = None
        for until in (*range(1, 1 + stops), None):
            start = train_lanes(lanes, data, infos[0].data, recorder, options, Resume(start=start, until=until))
        for (run, metric), values in recorder.series.items():
            found[spec.expanded[run // 3].label, spec.seed_list[run % 3], metric] = values.tobytes()
    return found


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(given=specs, cores=st.sampled_from([2, 3, 8]), stops=st.sampled_from([0, 1]), seed=st.integers(0, 99))
def test_a_spec_gives_the_same_bits_in_any_plan_and_company(
    given: tuple[Spec, tuple[int, ...]], cores: int, stops: int, seed: int
) -> None:
    """Trained on one core, and on several by another plan, in another order of the runs and from a checkpoint.

    Where the rule calls runs independent, three of them have these bits alone too.
    """
    spec, inputs = given
    whole = bits(spec, inputs, Profile.guess(1), random.Random(0))
    assert len(whole) >= 9 * 3
    assert bits(spec, inputs, Profile.guess(cores), random.Random(seed), stops) == whole
    _, infos = described(spec, inputs)
    if arrange(spec, spec.expanded[0].treatment, infos[0], "cpu").independent:
        arm = seed % 3
        label = spec.expanded[arm].label
        one = parse(spec.canonical() | {"arms": [(spec.arms or [])[arm]], "seeds": [SEEDS[seed % 2]]})
        alone = bits(one, inputs, Profile.guess(1), random.Random(0))
        assert alone == {key: whole[key] for key in alone}
        assert {key[0] for key in alone} == {label}


T16 = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64, 64]},
    "optimizer": {"name": "sgd", "lr": 0.3, "momentum": 0.9},
    "batch_size": 64,
    "epochs": 3,
}


def test_the_library_gives_a_run_the_same_bits_in_any_experiment_and_with_any_threads() -> None:
    def series(seeds: list[int], threads: int) -> dict[tuple[int, str], bytes]:
        torch.set_num_threads(threads)
        results = train(parse(T16 | {"seeds": seeds}), DatasetPaths())
        assert torch.get_num_threads() == threads
        metrics = ("train_loss", "valid_loss", "valid_accuracy")
        return {(one.seed, m): one.values.tobytes() for m in metrics for one in results.series(m)}

    two, four = series([3, 7], 1), series([3, 7, 0, 5], 2)
    torch.set_num_threads(1)
    assert two == {key: four[key] for key in two}
    assert {key: four[key] for key in four if key[0] == 5} == series([5], 1)
