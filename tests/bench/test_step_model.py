"""The byte model: products and bytes counted by hand, and the time of the whole benchmark on a card."""

from dataclasses import replace

import pytest
from backend import Backend
from cases import CASES, MLP, find
from step_model import Rates, needed, update
from torch import nn
from trainers import MINUTES
from ways import estimate

from core.spec import Precision

CUDA = Backend("cuda")


def test_flops_are_those_of_the_products() -> None:
    pairs = [(784, 256), (256, 128), (128, 10)]
    forward = 2 * sum(inputs * outputs for inputs, outputs in pairs)
    training = 3 * forward - 2 * 784 * 256  # nobody asks for the gradient of the data
    assert update(MLP, CUDA).flops == MLP.batch * training + 12_500 / MLP.steps * forward


def test_bytes_are_those_that_a_linear_layer_and_the_optimizer_move() -> None:
    case = replace(find("tabular", "cpu"), network=lambda: nn.Sequential(nn.Linear(11, 1)), batch=16, examples=20)
    parameters, x, outputs = 11 + 1, 16 * 11, 16
    forward = parameters + x + outputs
    backward = x + outputs + 11
    adam = 7 * parameters
    assert update(case, CUDA).least == 4 * (forward + backward + adam + 20 / 16 * forward)
    assert update(case, CUDA).moved > update(case, CUDA).least


def test_bfloat16_halves_what_activations_move() -> None:
    cnn = find("cnn", "cuda")
    fp32, bf16 = update(cnn, CUDA).moved, update(cnn, Backend("cuda", "bf16")).moved
    assert 0.5 < bf16 / fp32 < 0.6


def test_a_rate_is_what_it_divides_by() -> None:
    found = needed(find("cnn", "cuda"), CUDA, Rates(bytes=2e12, flops=5e13))
    assert found["moved_ms"] == pytest.approx(found["moved_mb"] / 2e6 * 1e3, rel=1e-3)
    assert found["arithmetic_ms"] == pytest.approx(found["gflop"] / 5e4 * 1e3, rel=1e-3)


@pytest.mark.parametrize(("precision", "flops"), [("fp32", 50e12), ("tf32", 400e12), ("bf16", 700e12)])
def test_the_whole_benchmark_fits_into_its_minutes_on_an_h100(precision: Precision, flops: float) -> None:
    h100 = Rates(bytes=3.0e12, flops=flops)
    needs = sum(estimate(case, Backend("cuda", precision), h100) for case in CASES["cuda"])
    assert needs < 60 * MINUTES
