import torch

from core.datasets import as_numbers
from core.training.lanes.batches import BatchSource, epoch_order
from core.training.lanes.clock import Moment

X = torch.arange(30.0).view(10, 3)
Y = torch.arange(10)


def batches(seeds: list[int], epoch: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    feed = BatchSource(X, Y, seeds, 4)
    feed.start(epoch)
    return [feed.batch(Moment(i, i, 0), feed.size(i)) for i in range(3)]


def test_an_epoch_uses_every_example_once_and_the_last_batch_is_smaller() -> None:
    got = batches([5, 6])
    assert [tuple(x.shape) for x, _ in got] == [(2, 4, 3), (2, 4, 3), (2, 2, 3)]
    labels = torch.cat([y for _, y in got], 1)
    assert torch.equal(labels.sort(1).values, Y.expand(2, 10))
    assert all(torch.equal(x, X[y]) for x, y in got)


def test_order_is_a_function_of_seed_and_epoch_alone() -> None:
    alone, company = batches([5]), batches([6, 5, 7])
    assert all(torch.equal(a[0][0], c[0][1]) for a, c in zip(alone, company, strict=True))
    assert torch.equal(epoch_order(10, 5, 0), torch.cat([y[0] for _, y in alone]))
    assert not torch.equal(epoch_order(10, 5, 0), epoch_order(10, 5, 1))
    assert not torch.equal(epoch_order(10, 5, 0), epoch_order(10, 6, 0))


def test_pictures_stay_bytes_until_they_are_a_batch() -> None:
    pictures = torch.arange(40, dtype=torch.uint8).view(10, 1, 2, 2) * 6
    feed = BatchSource(pictures, Y, [5], 4, torch.float64)
    feed.start(0)
    x, y = feed.batch(Moment(0, 0, 0), 4)
    assert torch.equal(x[0], pictures[y[0]].double() / 255)
    assert torch.equal(as_numbers(pictures), pictures.float() / 255)
    assert as_numbers(X) is X
