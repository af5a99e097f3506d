"""Handwritten digits: 1,797 real images of 8 x 8, carried by scikit-learn itself."""

import torch

from core.datasets import Dataset, DatasetInfo, DatasetPaths, datasets
from core.datasets._splits import Fraction, HeldOut, TestFraction, Whole, of_whole
from core.registry import CountFromZero

EXAMPLES = 1797
MOST = 183
"""Threes, the most frequent digit."""


@datasets.register(
    formula="1,797 grey images (1, 8, 8) of the digits 0-9, scaled to [0, 1]",
    source="Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits; scikit-learn load_digits",
)
def digits(
    *, valid_fraction: Fraction = 0.2, split_seed: CountFromZero = 0, test_fraction: TestFraction = 0.0
) -> Dataset:
    """The offline default: real data that needs no download."""
    held_out = HeldOut(valid_fraction, split_seed, test_fraction).checked()
    counts = held_out.counts(EXAMPLES)

    def whole(_paths: DatasetPaths) -> Whole:
        from sklearn.datasets import load_digits  # noqa: PLC0415 a second to import: only who loads it pays

        bunch = load_digits()
        x = torch.from_numpy(bunch.images).to(torch.float32).div_(16).unsqueeze(1)
        return x, torch.from_numpy(bunch.target).long(), held_out

    info = DatasetInfo(inputs=(1, 8, 8), outputs=10, chance=MOST / EXAMPLES, **counts._asdict())
    return of_whole(lambda _paths: info, whole, held_out)
