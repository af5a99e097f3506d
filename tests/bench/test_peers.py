"""The benchmarks' peers: each trains as a plain loop does, so that their times are of the same work."""

from dataclasses import replace

import pytest
import torch
from backend import Backend
from cases import CASES, MLP, STARTS, Case, parts
from graphed import Graphed
from peers import loop
from torch.nn.functional import cross_entropy

from core.spec import Precision

CNN = next(case for case in CASES["cpu"] if case.name == "cnn")
SMALL = {"mlp": replace(MLP, examples=200, batch=25), "cnn": replace(CNN, examples=100, batch=32)}
"""The second's epochs end with a batch of 16."""
EPOCHS = 2


def tutorials(case: Case, initializer: str, seed: int) -> list[float]:
    """Train without anything that makes the loop fast: no fused optimizer, no channels-last memory, no indices."""
    torch.manual_seed(seed)
    (x, y), (x_valid, y_valid) = (
        (torch.from_numpy(x).reshape(len(x), *x.shape[1:3], -1).permute(0, 3, 1, 2) / 255, torch.from_numpy(y))
        for x, y in parts(case)
    )
    model = case.network().apply(STARTS[initializer])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    losses, numbers = [], []
    for _ in range(EPOCHS):
        model.train()
        order = torch.randperm(len(x))
        for begin in range(0, len(x), case.batch):
            batch = order[begin : begin + case.batch]
            optimizer.zero_grad()
            loss = cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            for inputs, targets in ((x, y), (x_valid, y_valid)):
                outputs = model(inputs)
                right = (outputs.argmax(1) == targets).float().mean().item()
                numbers += [cross_entropy(outputs, targets).item(), right]
    return losses + numbers


@pytest.mark.parametrize("name", SMALL)
def test_the_good_loop_is_the_tutorials(name: str) -> None:
    case = SMALL[name]
    found = loop(case, "he_normal", 3, EPOCHS, Backend())
    assert len(found) == EPOCHS * (case.steps + 4)
    assert found == pytest.approx(tutorials(case, "he_normal", 3), rel=2e-4, abs=1e-6)


@pytest.mark.emulated
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", SMALL)
def test_graphs_train_as_the_loop_does(name: str, precision: Precision) -> None:
    case, backend = SMALL[name], Backend("cuda", precision)
    graphed = Graphed(case, backend)
    for initializer, seed in (("he_normal", 3), ("glorot_uniform", 0)):  # the second begins where the first ended
        assert graphed.train(initializer, seed, EPOCHS) == pytest.approx(
            loop(case, initializer, seed, EPOCHS, backend), rel=1e-5, abs=1e-7
        )


@pytest.mark.emulated
def test_an_epoch_by_graphs_launches_nothing_an_update_but_a_replay() -> None:
    from tests.emulation.counting import count  # noqa: PLC0415  needs the emulation

    graphed = Graphed(SMALL["cnn"], Backend("cuda"))
    graphed.begin("he_normal", 0)

    def launches(epochs: int) -> tuple[int, int]:
        with count() as found:
            graphed.train("he_normal", 0, epochs)
        return found.outside, found.replays

    (one, _), (two, replays) = launches(1), launches(2)
    assert replays == 2 * (SMALL["cnn"].steps + 1)  # with the evaluation's
    assert two - one - (SMALL["cnn"].steps + 1) <= 6  # the order, the place, and what is kept of an epoch
