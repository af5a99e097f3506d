"""A look at any data set: counts by hand, principal components by scikit-learn."""

import base64
import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from core.datasets import DatasetInfo, DatasetPaths, Splits, datasets, look

HERE = ["breast_cancer", "diabetes", "digits", "teacher_student", "two_spirals"]


def seen(given: Any) -> tuple[dict[str, Any], Splits, DatasetInfo]:
    entry, paths = datasets.parse(given), DatasetPaths()
    dataset = entry.build()
    info = dataset.info(paths)
    return look(entry, info, paths), dataset.load(paths), info


@pytest.mark.parametrize("name", HERE)
def test_examples_are_counted_by_split_and_class(name: str) -> None:
    found, data, info = seen({"name": name, "test_fraction": 0.1})
    assert found["examples"] == {"train": info.train, "valid": info.valid, "test": info.test}
    assert all(found["examples"].values())
    for part in ("train", "valid", "test"):
        labels = getattr(data, f"y_{part}").reshape(-1)
        for number, one in enumerate(found["classes"]):
            assert one[part] == int((labels == number).sum())
    assert (found["classes"] == []) == (info.task == "regression") == (found["targets"] != [])


def test_names_and_the_chance_are_the_data_sets() -> None:
    found, _, _ = seen("breast_cancer")
    assert [one["label"] for one in found["classes"]] == list(load_breast_cancer().target_names)
    counts = [one["train"] + one["valid"] for one in found["classes"]]
    assert found["chance"] == pytest.approx(max(counts) / sum(counts))


def test_pictures_are_the_first_training_examples_of_each_class() -> None:
    found, data, _ = seen("digits")
    assert [one["label"] for one in found["pictures"]] == [str(i) for i in range(10) for _ in range(6)]
    first = data.x_train[(data.y_train == 3).nonzero()[0, 0]]
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["pictures"][18]["png"]))))
    np.testing.assert_allclose(drawn / 255, first[0].numpy(), atol=1 / 254)
    assert found["plane"] is None


def test_two_inputs_are_the_plane_itself() -> None:
    found, data, _ = seen({"name": "two_spirals", "examples": 100})
    np.testing.assert_array_equal(np.column_stack([found["plane"]["x"], found["plane"]["y"]]), data.x_train.numpy())
    assert found["plane"]["target"] == data.y_train[:, 0].tolist()
    assert found["plane"]["explained"] is None


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes"])
def test_more_inputs_are_their_principal_components(name: str) -> None:
    found, data, _ = seen(name)
    pca = PCA(2).fit(StandardScaler().fit_transform(data.x_train.double()))
    expected = pca.transform(StandardScaler().fit_transform(data.x_train.double()))
    points = np.column_stack([found["plane"]["x"], found["plane"]["y"]])
    np.testing.assert_allclose(np.abs(points), np.abs(expected), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["plane"]["explained"], pca.explained_variance_ratio_, rtol=1e-6)
    assert points[np.abs(points[:, 0]).argmax(), 0] > 0


def test_many_examples_are_thinned_evenly() -> None:
    found, data, _ = seen({"name": "two_spirals", "examples": 50_000})
    assert len(found["plane"]["x"]) == 1000
    assert found["plane"]["x"][1] == pytest.approx(float(data.x_train[40, 0]))


def test_a_regressions_target_is_a_histogram() -> None:
    found, data, _ = seen("diabetes")
    [target] = found["targets"]
    values = data.y_train.double().numpy()
    assert (target["min"], target["max"]) == (values.min(), values.max())
    assert target["mean"] == pytest.approx(values.mean(), abs=1e-9)
    assert sum(target["histogram"]["counts"]) == len(values)
    assert found["chance"] is None


def test_constant_inputs_have_no_variance_to_explain() -> None:
    entry = datasets.parse({"name": "two_spirals", "examples": 4})
    flat = Splits(torch.ones(5, 3), torch.zeros(5, 1), torch.ones(2, 3), torch.zeros(2, 1))

    class Flat:
        def build(self) -> Any:
            return self

        def load(self, _paths: DatasetPaths) -> Splits:
            return flat

    info = entry.build().info(DatasetPaths())._replace(inputs=(3,))
    found = look(Flat(), info, DatasetPaths())  # type: ignore[arg-type]
    assert found["plane"]["explained"] == [0.0, 0.0]
    assert found["plane"]["x"] == [0.0] * 5
