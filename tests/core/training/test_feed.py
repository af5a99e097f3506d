import torch

from core.training.feed import Feed, epoch_order

X = torch.arange(30.0).view(10, 3)
Y = torch.arange(10)


def batches(seeds: list[int], epoch: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    feed = Feed(X, Y, seeds, 4)
    feed.start(epoch)
    return [feed.batch(i) for i in range(3)]


def test_an_epoch_uses_every_example_once_and_the_last_batch_is_smaller() -> None:
    got = batches([5, 6, 5])
    assert [tuple(x.shape) for x, _ in got] == [(3, 4, 3), (3, 4, 3), (3, 2, 3)]
    labels = torch.cat([y for _, y in got], 1)
    assert torch.equal(labels.sort(1).values, Y.expand(3, 10))
    assert all(torch.equal(x, X[y]) for x, y in got)


def test_order_is_a_function_of_seed_and_epoch_alone() -> None:
    alone, company = batches([5]), batches([6, 5, 5, 7])
    assert all(torch.equal(a[0][0], c[0][lane]) for a, c in zip(alone, company, strict=True) for lane in (1, 2))
    assert torch.equal(epoch_order(10, 5, 0), torch.cat([y[0] for _, y in alone]))
    assert not torch.equal(epoch_order(10, 5, 0), epoch_order(10, 5, 1))
    assert not torch.equal(epoch_order(10, 5, 0), epoch_order(10, 6, 0))


def test_what_belongs_to_a_seed_is_spread_over_its_lanes() -> None:
    feed = Feed(X, Y, [6, 5, 6], 4)
    assert feed.distinct_seeds == [6, 5]
    assert torch.equal(feed.per_lane(torch.tensor([[60], [50]])), torch.tensor([[60], [50], [60]]))
