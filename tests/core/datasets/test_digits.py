"""The digits are scikit-learn's, split once."""

from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from core.datasets import Dataset, DatasetPaths, Splits, datasets

NOWHERE = DatasetPaths(Path("/nowhere"), Path("/nowhere"))


def dataset(**parameters: object) -> Dataset:
    built = datasets.parse({"name": "digits", **parameters}).build()
    assert isinstance(built, Dataset)
    return built


def rows(x: torch.Tensor, y: torch.Tensor) -> list[tuple[float, ...]]:
    return sorted((*image.flatten().tolist(), float(label)) for image, label in zip(x, y, strict=True))


@pytest.mark.parametrize(
    ("fraction", "valid", "tested", "test"),
    [(0.2, 359, 0, 0), (0.5, 898, 0.1, 180), (1e-9, 1, 0, 0), (1 - 1e-9, 1796, 0, 0), (1e-9, 1, 1e-9, 1)],
    ids=["fifth", "half", "least", "most", "least of both"],
)
def test_facts_are_what_is_loaded(fraction: float, valid: int, tested: float, test: int) -> None:
    made = dataset(valid_fraction=fraction, test_fraction=float(tested))
    info, splits = made.info(NOWHERE), made.load(NOWHERE)
    assert tuple(info) == ((1, 8, 8), 10, 1797 - valid - test, valid, "multiclass", 183 / 1797, test, (), ())
    assert len(splits.x_test) == len(splits.y_test) == info.test
    assert splits.x_train.shape == (info.train, *info.inputs)
    assert splits.x_valid.shape == (info.valid, *info.inputs)
    assert (len(splits.y_train), len(splits.y_valid)) == (info.train, info.valid)


def test_every_image_is_there_once_with_its_label() -> None:
    splits = dataset().load(NOWHERE)
    bunch = load_digits()
    real = torch.from_numpy(bunch.images).float().unsqueeze(1) / 16
    both = rows(torch.cat([splits.x_train, splits.x_valid]), torch.cat([splits.y_train, splits.y_valid]))
    assert both == rows(real, torch.from_numpy(bunch.target))
    assert dataset().info(NOWHERE).chance == float((bunch.target[:, None] == range(10)).mean(0).max())
    assert splits.x_train.dtype == torch.float32
    assert splits.y_train.dtype == torch.int64
    assert (splits.x_train.min(), splits.x_train.max()) == (0, 1)


def test_the_split_is_a_function_of_its_seed() -> None:
    def loaded(seed: int) -> Splits:
        return dataset(split_seed=seed).load(NOWHERE)

    assert all(torch.equal(a, b) for a, b in zip(loaded(0), loaded(0), strict=True))
    assert not torch.equal(loaded(0).x_valid, loaded(1).x_valid)
    counts = loaded(0).y_valid.bincount(minlength=10)
    assert counts.min() > 15, "shuffled: every digit is held out"
