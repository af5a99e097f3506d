"""The training examples that are judged after every epoch."""

from typing import Any

import numpy as np
import torch

from core.spec import described, parse
from core.training.lanes.evaluation import judged_part
from core.training.options import TrainOptions
from tests.core.training.trials import PICTURES, assert_near, made, referred, trained

MLP = {"name": "mlp", "hidden": [8], "activation": "tanh"}


def test_the_sample_is_as_large_as_validation_and_always_the_same() -> None:
    part = judged_part(100, 30)
    assert len(set(part.tolist())) == 30
    assert part.tolist() == sorted(part.tolist())
    assert torch.equal(part, judged_part(100, 30))
    assert torch.equal(judged_part(20, 30), torch.arange(20))


def test_the_whole_split_is_judged_where_that_is_asked_for(make_lanes: Any) -> None:
    data, info = made(PICTURES, train=60, valid=10)
    lanes = make_lanes({}, seeds=(0, 3), model=MLP, batch_size=16, epochs=2)
    sample, whole = (trained(lanes, data, info, dtype=torch.float64, judge_all=every) for every in (False, True))
    assert_near(sample, referred(lanes, data, info), 1e-10, 1e-13)
    for key, values in whole.series.items():
        same = values.tobytes() == sample.series[key].tobytes()
        assert same == (key[1] != "train_accuracy"), "training itself is the same, and so is validation"
    # a share of 10 examples, and one of 60
    shares = [(recorder.series[0, "train_accuracy"] * n, n) for recorder, n in ((sample, 10), (whole, 60))]
    for counts, n in shares:
        np.testing.assert_allclose(counts, np.round(counts), atol=1e-9, err_msg=str(n))


def test_the_spec_says_which_and_the_report_too() -> None:
    assert not TrainOptions.of(parse({}), "cpu", "vmap").judge_all
    every = parse({"evaluate": {"train": "all"}})
    assert TrainOptions.of(every, "cpu", "vmap").judge_all
    assert dict(described(parse({})))["Training metrics"].startswith("a fixed sample")  # type: ignore[union-attr]
    assert dict(described(every))["Training metrics"] == "the whole training split"
