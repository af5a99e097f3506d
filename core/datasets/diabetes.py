"""Diabetes: how far the disease of 442 patients went in a year; carried by scikit-learn itself."""

import torch

from core.datasets import Dataset, DatasetInfo, DatasetPaths, Splits, datasets
from core.datasets._encoding import standardised_columns
from core.datasets._splits import Fraction, HeldOut, TestFraction
from core.registry import CountFromZero

EXAMPLES = 442


@datasets.register(
    formula="442 patients by 10 measurements, and the disease's progression; all standardised by the training split",
    source="Efron, Hastie, Johnstone & Tibshirani 2004, Annals of Statistics 32; scikit-learn load_diabetes",
)
def diabetes(
    *, valid_fraction: Fraction = 0.2, split_seed: CountFromZero = 0, test_fraction: TestFraction = 0.0
) -> Dataset:
    """A regression that needs no download.

    The target's unit is its standard deviation in the training split, so that a squared error is a share of the
    variance: 1 is that of naming the mean always. The measurements are the raw ones: scikit-learn's scaled columns
    have a standard deviation of 0.05, by the statistics of all patients.
    """
    held_out = HeldOut(valid_fraction, split_seed, test_fraction).checked()
    counts = held_out.counts(EXAMPLES)
    info = DatasetInfo(inputs=(10,), outputs=1, task="regression", **counts._asdict())

    def load(_paths: DatasetPaths) -> Splits:
        from sklearn.datasets import load_diabetes  # noqa: PLC0415 a second to import: only who loads it pays

        bunch = load_diabetes(scaled=False)
        y = torch.from_numpy(bunch.target).unsqueeze(1)
        raw = held_out.split(torch.from_numpy(bunch.data), y)
        x_train, x_valid, x_test = standardised_columns(raw.x_train, raw.x_valid, raw.x_test)
        y_train, y_valid, y_test = standardised_columns(raw.y_train, raw.y_valid, raw.y_test)
        return Splits(x_train, y_train, x_valid, y_valid, x_test, y_test)

    return Dataset(lambda _paths: info, load, held_out=held_out)
