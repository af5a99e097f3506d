"""Breast cancer and diabetes are scikit-learn's, standardised by the training split alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from core.datasets import Dataset, DatasetInfo, DatasetPaths, Splits, datasets

NOWHERE = DatasetPaths(Path("/nowhere"), Path("/nowhere"))
RAW = {
    "breast_cancer": sklearn.datasets.load_breast_cancer(),
    "diabetes": sklearn.datasets.load_diabetes(scaled=False),
}
Give = Callable[[NDArray[Any], NDArray[Any]], None]

both = pytest.mark.parametrize("name", list(RAW))


def dataset(name: str, **parameters: object) -> Dataset:
    built = datasets.parse({"name": name, **parameters}).build()
    assert isinstance(built, Dataset)
    return built


def load(name: str, **parameters: object) -> Splits:
    return dataset(name, **parameters).load(NOWHERE)


def give(monkeypatch: pytest.MonkeyPatch, name: str, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Let scikit-learn carry other numbers."""
    bunch = sklearn.utils.Bunch(data=x, target=y)
    monkeypatch.setattr(sklearn.datasets, f"load_{name}", lambda **_how: bunch)


def where(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows of the two splits, found by giving each row its own number: standardising keeps their order."""
    with monkeypatch.context() as patched:
        x = RAW[name].data.copy()
        x[:, 0] = np.arange(len(x))
        give(patched, name, x, RAW[name].target)
        splits = load(name)
    rows = torch.cat([splits.x_train, splits.x_valid])[:, 0].argsort().argsort().numpy()
    return rows[: len(splits.x_train)], rows[len(splits.x_train) :]


@pytest.mark.parametrize(
    ("name", "info"),
    [
        ("breast_cancer", DatasetInfo((30,), 1, 455, 114, "binary", 357 / 569, classes=("malignant", "benign"))),
        ("diabetes", DatasetInfo((10,), 1, 354, 88, "regression", None)),
    ],
)
def test_the_facts(name: str, info: DatasetInfo) -> None:
    assert dataset(name).info(NOWHERE) == info
    splits = load(name)
    assert [(part.shape, part.dtype) for part in splits[:4]] == [
        ((info.train, *info.inputs), torch.float32),
        ((info.train, 1), torch.float32),
        ((info.valid, *info.inputs), torch.float32),
        ((info.valid, 1), torch.float32),
    ]


@both
def test_scikit_learns_scaler_fitted_on_the_training_rows_says_the_same(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    train, valid = where(monkeypatch, name)
    assert sorted([*train, *valid]) == list(range(len(RAW[name].data)))
    splits, x = load(name), RAW[name].data
    scaler = StandardScaler().fit(x[train])
    np.testing.assert_allclose(splits.x_train, scaler.transform(x[train]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(splits.x_valid, scaler.transform(x[valid]), rtol=1e-5, atol=1e-6)
    y = RAW[name].target[:, None]
    if name == "diabetes":
        y = StandardScaler().fit(y[train]).transform(y)
    np.testing.assert_allclose(splits.y_train, y[train], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(splits.y_valid, y[valid], rtol=1e-5, atol=1e-6)


@both
def test_what_is_held_out_has_no_say_in_the_training_numbers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = load(name)
    _, valid = where(monkeypatch, name)
    x, y = RAW[name].data.copy(), RAW[name].target.copy()
    x[valid] = x[valid] * 1000 + 7
    if name == "diabetes":
        y[valid] += 1000
    give(monkeypatch, name, x, y)
    after = load(name)
    assert torch.equal(after.x_train, before.x_train)
    assert torch.equal(after.y_train, before.y_train)
    assert not torch.isclose(after.x_valid, before.x_valid).any()


def test_the_classes_are_0_and_1() -> None:
    splits = load("breast_cancer")
    y = torch.cat([splits.y_train, splits.y_valid])
    assert [int((y == label).sum()) for label in (0, 1)] == [212, 357]


def test_least_squares_on_diabetes_leaves_the_known_share_of_the_variance() -> None:
    """R^2 = 0.5177 on all 442 patients: Efron et al. 2004, and scikit-learn's own example."""
    splits = load("diabetes", valid_fraction=1e-9)
    assert len(splits.x_valid) == 1
    x = torch.cat([splits.x_train, torch.ones(441, 1)], dim=1).double()
    left = splits.y_train.double() - x @ torch.linalg.lstsq(x, splits.y_train.double()).solution
    assert float(splits.y_train.square().mean()) == pytest.approx(1, abs=1e-5)  # that of naming the mean
    assert float(left.square().mean()) == pytest.approx(1 - 0.5177, abs=0.005)


@both
def test_a_single_training_row_is_finite(name: str) -> None:
    splits = load(name, valid_fraction=1 - 1e-9)
    assert len(splits.x_train) == 1
    assert all(part.isfinite().all() for part in splits)


@both
def test_the_split_is_a_function_of_its_seed(name: str) -> None:
    assert all(torch.equal(a, b) for a, b in zip(load(name), load(name), strict=True))
    assert not torch.equal(load(name).x_valid, load(name, split_seed=1).x_valid)
