"""Breast cancer: 569 tumours, each by 30 measurements; carried by scikit-learn itself."""

import torch

from core.datasets import Dataset, DatasetInfo, DatasetPaths, Splits, datasets
from core.datasets._encoding import standardised_columns
from core.datasets._splits import Fraction, HeldOut, TestFraction
from core.registry import CountFromZero

EXAMPLES = 569
BENIGN = 357


@datasets.register(
    formula="569 tumours by 30 measurements, standardised by the training split; 0 malignant, 1 benign",
    source="Street, Wolberg & Mangasarian 1993, UCI Wisconsin diagnostic; scikit-learn load_breast_cancer",
)
def breast_cancer(
    *, valid_fraction: Fraction = 0.2, split_seed: CountFromZero = 0, test_fraction: TestFraction = 0.0
) -> Dataset:
    """A binary task that needs no download."""
    held_out = HeldOut(valid_fraction, split_seed, test_fraction).checked()
    counts = held_out.counts(EXAMPLES)
    info = DatasetInfo(
        inputs=(30,),
        outputs=1,
        task="binary",
        chance=BENIGN / EXAMPLES,
        classes=("malignant", "benign"),
        **counts._asdict(),
    )

    def load(_paths: DatasetPaths) -> Splits:
        from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 a second to import: only who loads it pays

        bunch = load_breast_cancer()
        y = torch.from_numpy(bunch.target).float().unsqueeze(1)
        raw = held_out.split(torch.from_numpy(bunch.data), y)
        x_train, x_valid, x_test = standardised_columns(raw.x_train, raw.x_valid, raw.x_test)
        return raw._replace(x_train=x_train, x_valid=x_valid, x_test=x_test)

    return Dataset(lambda _paths: info, load, held_out=held_out)
