"""Users' own data sets, posted to `/datasets`."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths, Splits, datasets, split
from core.datasets._content import About, Column
from core.datasets._encoding import encode, standardised_columns
from core.datasets._splits import valid_count
from core.datasets._uploads import NAME, Uploads
from core.registry import CountFromZero


@datasets.register(
    formula="numbers standardised and text one-hot by the training split; pictures scaled to [0, 1]",
    source="the file that was posted to /datasets; encoded as scikit-learn's transformers do, Pedregosa et al. 2011",
)
def uploaded(
    *,
    id: Annotated[str, Field(pattern=f"^{NAME}(@[0-9a-f]{{64}})?$")],  # noqa: A002 the parameter's name
    valid_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2,
    split_seed: CountFromZero = 0,
) -> Dataset:
    """The data set of that name; `name@sha256` where its content is that one, which an experiment's spec records.

    Where the file itself holds a part out (`x_test`, `test/`), that part is the validation split, and
    `valid_fraction` and `split_seed` say nothing. Targets of a regression are standardised like features: a loss of 1
    is that of naming the mean.
    """

    def info(paths: DatasetPaths) -> DatasetInfo:
        about = _stored(id, paths)
        valid = about.valid_examples or valid_count(about.examples, valid_fraction)
        return DatasetInfo(
            inputs=tuple(about.inputs),
            outputs=about.outputs,
            train=about.examples - valid,
            valid=valid,
            task=about.task,
            chance=about.chance,
        )

    def notes(paths: DatasetPaths) -> list[tuple[str, str]]:
        return [(note.path, note.message) for note in _stored(id, paths).notes]

    def load(paths: DatasetPaths) -> Splits:
        about = _stored(id, paths)
        x, y = _array(paths, about, "x"), _array(paths, about, "y")
        if about.valid_examples is None:
            raw = split(x, y, valid_fraction, split_seed)
        else:
            raw = Splits(x, y, _array(paths, about, "x_valid"), _array(paths, about, "y_valid"))
        y_train, y_valid = _targets(about, raw)
        x_train, x_valid = _features(about, raw)
        return Splits(x_train, y_train, x_valid, y_valid)

    return Dataset(info, load, notes)


def _stored(id: str, paths: DatasetPaths) -> About:  # noqa: A002
    """Return the data set stored under the name; raises `DataError` where there is none, or other content."""
    name, _, content = id.partition("@")
    uploads = Uploads(paths.uploads, paths.hidden)
    about = uploads.get(name)
    if about is None:
        message = uploads.unknown(name).message
        raise DataError(f"{message}; send it with: initlab datasets upload FILE --name {name}")
    if content and content != about.sha256:
        raise DataError(
            f"the data set {name!r} has other content now (SHA-256 {about.sha256}) than was asked for ({content})"
        )
    return about


def _array(paths: DatasetPaths, about: About, array: str) -> torch.Tensor:
    path = Uploads(paths.uploads).path(about, array)
    try:
        # Mapped, so that only the examples taken are read; "c": torch wants memory that it could write to.
        return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise DataError(f"the data set {about.name!r} cannot be read: {error}") from None


def _features(about: About, raw: Splits) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features of both splits, scaled as the data set says."""
    if about.kind == "table":
        return encode(about.columns, raw.x_train, raw.x_valid, standardise=about.scale != "none")
    if about.scale == "standardise":
        return encode([Column(name="", kind="number")] * about.inputs[0], raw.x_train, raw.x_valid)
    if about.scale == "none":
        return raw.x_train.float(), raw.x_valid.float()
    return raw.x_train.clone(), raw.x_valid.clone()  # out of the mapped file


def _targets(about: About, raw: Splits) -> tuple[torch.Tensor, torch.Tensor]:
    if about.task == "multiclass":
        return raw.y_train.clone(), raw.y_valid.clone()
    if about.task == "binary":
        return raw.y_train.float().unsqueeze(1), raw.y_valid.float().unsqueeze(1)
    return standardised_columns(raw.y_train, raw.y_valid)
