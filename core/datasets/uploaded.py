"""Users' own data sets, posted to `/datasets`."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths, Splits, datasets
from core.datasets._content import About, Column
from core.datasets._encoding import encode, standardised_columns
from core.datasets._splits import Counts, Fraction, HeldOut, TestFraction, Whole
from core.datasets._uploads import NAME, Uploads
from core.registry import CountFromZero


@datasets.register(
    formula="numbers standardised and text one-hot by the training split; pictures scaled to [0, 1]",
    source="the file that was posted to /datasets; encoded as scikit-learn's transformers do, Pedregosa et al. 2011",
)
def uploaded(
    *,
    id: Annotated[str, Field(pattern=f"^{NAME}(@[0-9a-f]{{64}})?$")],  # noqa: A002 the parameter's name
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
    own_test: bool = False,
) -> Dataset:
    """The data set of that name; `name@sha256` where its content is that one, which an experiment's spec records.

    Where the file itself holds a part out (`x_test`, `test/`), that part is the validation split, and `valid_fraction`
    says nothing; with `own_test` it is the test split instead, and validation is a share of the rest. Targets of a
    regression are standardised like features: a loss of 1 is that of naming the mean.
    """
    held_out = HeldOut(valid_fraction, split_seed, test_fraction, own_test).checked()

    def info(paths: DatasetPaths) -> DatasetInfo:
        about = _stored(id, paths)
        counts = _counts(about, held_out)
        return DatasetInfo(
            inputs=tuple(about.inputs),
            outputs=about.outputs,
            task=about.task,
            chance=about.chance,
            own=() if about.valid_examples is None else ("test",) if own_test else ("valid",),
            classes=tuple(about.classes) if all(about.classes) else (),
            **counts._asdict(),
        )

    def notes(paths: DatasetPaths) -> list[tuple[str, str]]:
        return [(note.path, note.message) for note in _stored(id, paths).notes]

    def load(paths: DatasetPaths) -> Splits:
        about = _stored(id, paths)
        raw = _split(paths, about, held_out)
        y_train, y_valid, y_test = _targets(about, raw.y_train, raw.y_valid, raw.y_test)
        x_train, x_valid, x_test = _features(about, raw.x_train, raw.x_valid, raw.x_test)
        return Splits(x_train, y_train, x_valid, y_valid, x_test, y_test)

    def whole(paths: DatasetPaths) -> Whole | None:
        about = _stored(id, paths)
        if about.kind != "images" or about.valid_examples is not None or about.task != "multiclass":
            return None
        return _array(paths, about, "x").clone(), _array(paths, about, "y").clone(), held_out

    return Dataset(info, load, notes, held_out, whole)


def _stored(id: str, paths: DatasetPaths) -> About:  # noqa: A002
    """Return the data set stored under the name; raises `DataError` where there is none, or other content."""
    name, _, content = id.partition("@")
    uploads = Uploads(paths.uploads, paths.hidden)
    about = uploads.pinned(name, content) if content else uploads.get(name)
    if about is None:
        message = uploads.unknown(name).message
        raise DataError(f"{message}; send it with: initlab datasets upload FILE --name {name}")
    if content and content != about.sha256:
        raise DataError(
            f"the data set {name!r} has other content now (SHA-256 {about.sha256}) than was asked for ({content})"
        )
    return about


def _array(paths: DatasetPaths, about: About, array: str) -> torch.Tensor:
    try:
        path = Uploads(paths.uploads).path(about, array)
        # Mapped, so that only the examples taken are read; "c": torch wants memory that it could write to.
        return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise DataError(f"the data set {about.name!r} cannot be read: {error}") from None


def _counts(about: About, held_out: HeldOut) -> Counts:
    """Return the sizes of the splits. Raises `DataError` for a test part that the file does not have."""
    own = about.valid_examples
    if own is None:
        if held_out.own_test:
            raise DataError(f"own_test: the file of {about.name!r} holds no part out; give test_fraction, such as 0.2")
        return held_out.counts(about.examples)
    if held_out.own_test:
        return held_out.counts(about.examples - own)._replace(test=own)
    return held_out._replace(own_valid=True).counts(about.examples - own)._replace(valid=own)


def _split(paths: DatasetPaths, about: About, held_out: HeldOut) -> Splits:
    """Return the values as they are stored, split."""
    _counts(about, held_out)
    x, y = _array(paths, about, "x"), _array(paths, about, "y")
    if about.valid_examples is None:
        return held_out.split(x, y)
    x_own, y_own = _array(paths, about, "x_valid"), _array(paths, about, "y_valid")
    if held_out.own_test:
        return held_out.split(x, y)._replace(x_test=x_own, y_test=y_own)
    if held_out.test_fraction:
        return held_out._replace(own_valid=True).split(x, y)._replace(x_valid=x_own, y_valid=y_own)
    return Splits(x, y, x_own, y_own, x[:0], y[:0])


def _features(about: About, *splits: torch.Tensor) -> list[torch.Tensor]:
    """Return the features of the splits, that for training first, scaled as the data set says."""
    if about.kind == "table":
        return encode(about.columns, *splits, standardise=about.scale != "none")
    if about.scale == "standardise":
        return encode([Column(name="", kind="number")] * about.inputs[0], *splits)
    if about.scale == "none":
        return [x.float() for x in splits]
    return [x.clone() for x in splits]  # out of the mapped file


def _targets(about: About, *splits: torch.Tensor) -> list[torch.Tensor]:
    if about.task == "multiclass":
        return [y.clone() for y in splits]
    if about.task == "binary":
        return [y.float().unsqueeze(1) for y in splits]
    return standardised_columns(*splits)
