import numpy as np

from core.datasets import Sources, datasets, epoch_metrics
from core.results import STEP_METRICS
from core.spec import parse
from core.training import Lane, MemoryRecorder, train, train_run

EPOCH_METRICS = epoch_metrics("multiclass")

SPEC = parse(
    {
        "model": {"name": "mlp", "hidden": [8], "activation": "linear"},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "epochs": 2,
        "seeds": [3, 1],
        "arms": [
            {"label": "he", "initializer": "he_normal"},
            {"label": "small batches", "batch_size": 500},
            {"label": "wild", "initializer": "ones", "optimizer.lr": 1e12},
        ],
    }
)


def test_an_experiment_gives_the_numbers_of_the_plain_loop() -> None:
    results = train(SPEC, Sources())
    assert [(run.arm, run.seed) for run in results.runs] == [
        (arm.label, seed) for arm in SPEC.expanded for seed in (3, 1)
    ]
    dataset = datasets.parse("digits").build()
    expected = MemoryRecorder()
    for run, treatment in zip(results.runs, [arm.treatment for arm in SPEC.expanded for _ in (3, 1)], strict=True):
        train_run(Lane(run.id, treatment, run.seed), dataset.load(Sources()), dataset.facts(Sources()), expected)
        assert run.status == "succeeded"
        assert run.outcome == expected.outcomes[run.id] == ("diverged" if run.arm == "wild" else "completed")
    for metric in (*STEP_METRICS, *EPOCH_METRICS):
        series = results.series(metric)
        assert [one.run_id for one in series] == [run.id for run in results.runs if (run.id, metric) in expected.series]
        for one in series:
            assert one.steps.tolist() == list(range(len(one.values)))
            theirs = expected.series[one.run_id, metric]
            assert one.values.shape == theirs.shape
            if one.arm != "wild":  # on the way to infinity rounding is everything
                np.testing.assert_allclose(one.values, theirs, rtol=1e-4)
    assert results.steps_per_epoch == 15


def test_final_values_are_the_last_and_null_where_not_finite() -> None:
    results = train(SPEC, Sources())
    he, wild = results.runs[0], results.runs[-1]
    last = {s.metric: s.values[-1] for m in (*STEP_METRICS, *EPOCH_METRICS) for s in results.series(m) if s.run_id == 0}
    assert he.final == last
    assert wild.final.keys() == set(STEP_METRICS)
    assert wild.final["train_loss"] is None
