"""The promises of every data set."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from core.conformance._check import Broken, check, expect
from core.conformance._entries import parsed
from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths, Splits, datasets
from core.settings import settings


def _loaded(name: str, **more: object) -> tuple[DatasetInfo, Splits]:
    dataset: Dataset = parsed("dataset", name, **more).build()
    with TemporaryDirectory() as empty:
        for paths in (DatasetPaths(settings().datasets, settings().uploads), DatasetPaths(Path(empty), Path(empty))):
            try:
                return dataset.info(paths), dataset.load(paths)
            except DataError as error:
                missing = str(error)
    raise Broken(f"cannot be tried here: {missing}")


@check("dataset")
def is_as_its_facts_say(name: str) -> None:
    """Its splits have the counts, shapes and types that its facts say, and share no example's numbers."""
    info, splits = _loaded(name)
    for x, y, count in ((splits.x_train, splits.y_train, info.train), (splits.x_valid, splits.y_valid, info.valid)):
        expect(x.shape == (count, *info.inputs), f"has inputs {tuple(x.shape)}, and says {(count, *info.inputs)}")
        shape, dtype = ((count,), torch.int64) if info.task == "multiclass" else ((count, info.outputs), torch.float32)
        expect(y.shape == shape and y.dtype == dtype, f"has targets {tuple(y.shape)} {y.dtype}: {shape} {dtype}")
        expect(bool(x.isfinite().all() and y.isfinite().all()), "has values that are not finite")
    if info.task != "regression":
        labels = torch.cat([splits.y_train, splits.y_valid]).long().flatten()
        share = int(labels.bincount().max()) / len(labels)
        near = info.chance is not None and abs(info.chance - share) <= 0.03
        expect(near, f"says chance={info.chance}: it is the share of the most frequent class, {share:.3f}")


@check("dataset")
def splits_as_it_is_asked_to(name: str) -> None:
    """The same split seed gives the same split, another one another of the same size."""
    fields = datasets[name].model_fields
    expect("split_seed" in fields and "valid_fraction" in fields, "takes no split_seed and valid_fraction")
    _, splits = _loaded(name)
    _, same = _loaded(name)
    _, other = _loaded(name, split_seed=1)
    expect(all(torch.equal(a, b) for a, b in zip(splits, same, strict=True)), "is split in another way each time")
    expect({part.shape for part in other} == {part.shape for part in splits}, "another seed gives other sizes")
    expect(not torch.equal(other.x_valid, splits.x_valid), "another split_seed gives the same split")
