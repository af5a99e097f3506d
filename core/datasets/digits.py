"""Handwritten digits: 1,797 real images of 8 x 8, carried by scikit-learn itself."""

import torch

from core.datasets import Dataset, DatasetInfo, DatasetPaths, Splits, datasets, split
from core.datasets._splits import Fraction, valid_count
from core.registry import CountFromZero

EXAMPLES = 1797
MOST = 183
"""Threes, the most frequent digit."""


@datasets.register(
    formula="1,797 grey images (1, 8, 8) of the digits 0-9, scaled to [0, 1]",
    source="Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits; scikit-learn load_digits",
)
def digits(*, valid_fraction: Fraction = 0.2, split_seed: CountFromZero = 0) -> Dataset:
    """The offline default: real data that needs no download."""
    held_out = valid_count(EXAMPLES, valid_fraction)

    def load(_paths: DatasetPaths) -> Splits:
        from sklearn.datasets import load_digits  # noqa: PLC0415 a second to import: only who loads it pays

        bunch = load_digits()
        x = torch.from_numpy(bunch.images).to(torch.float32).div_(16).unsqueeze(1)
        return split(x, torch.from_numpy(bunch.target).long(), valid_fraction, split_seed)

    info = DatasetInfo(inputs=(1, 8, 8), outputs=10, train=EXAMPLES - held_out, valid=held_out, chance=MOST / EXAMPLES)
    return Dataset(lambda _paths: info, load)
