"""Reads NumPy archives: examples and labels, and optionally a part held out; never a pickle."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.datasets import _targets
from core.datasets._archives import open_archive
from core.datasets._content import Content, Decoded, InvalidUpload, Remarks
from core.datasets._limit import subsets
from core.datasets._options import Options
from core.datasets.arrays.examples import Named, examples
from core.datasets.arrays.layout import pairs_of
from core.datasets.arrays.npy import check_finite, read_array
from core.datasets.tables.decimals import decimal_of
from core.datasets.tables.numbers import SAID, read_numbers


def read_arrays(file: BinaryIO, options: Options, _into: Path, remarks: Remarks) -> Decoded:
    """Read `x` (n, ...) and `y` (n,) or (n, outputs), or `x_train` and `y_train`; `x_test` and `y_test`, if any.

    Images (n, h, w) get a channel, and (n, h, w, c) become (n, c, h, w). Raises `InvalidUpload`.
    """
    options.only("task", "channels", "scale", "missing", "limit", kind="arrays")
    with open_archive(file) as archive:
        arrays = {entry.filename.removesuffix(".npy"): entry.filename for entry in archive.infolist()}
        for name in arrays.values():
            if not name.endswith(".npy"):
                read_array(archive, name)  # which refuses it
        train, valid = pairs_of(arrays, remarks)
        pairs = [train] if valid is None else [train, valid]
        found = {}
        for name in (name for pair in pairs for name in pair):
            with remarks.gathered():
                found[name] = read_array(archive, arrays[name])
        remarks.check()
    for x_name, y_name in pairs:
        if found[x_name].ndim and len(found[x_name]) != len(found[y_name]):
            raise InvalidUpload(f"{x_name} has {len(found[x_name]):,} examples and {y_name} {len(found[y_name]):,}")
    if valid is None and found[train[0]].ndim and len(found[train[0]]) == 1:
        raise InvalidUpload(f"{train[0]} has 1 examples; training and validation need one each")
    with remarks.gathered():
        xs, scale = examples([(name, found[name]) for name, _ in pairs], options, remarks)
    with remarks.gathered():
        ys = [(name, found[name]) for _, name in pairs]
        target = _target(ys, options, remarks, pictures=found[train[0]].ndim > 2)
    remarks.check()
    held_out = None if valid is None else len(xs[1])
    taken = subsets(target.y if target.classes else None, len(target.y), held_out, options.limit)
    parts = {"": (xs[0][taken[0]], target.y[taken[0]])}
    if taken[1] is not None:
        parts["_valid"] = (xs[1][taken[1]], target.y[len(xs[0]) + taken[1]])
    labels = np.concatenate([y for _, y in parts.values()])
    if len(labels) < len(target.y):
        remarks.note("limit", f"{len(labels):,} of {len(target.y):,} examples, the same ones always")
    target = target._replace(y=labels)
    _targets.note_rare(target, None if taken[1] is None else len(taken[1]), remarks)
    content = Content(
        kind="arrays",
        examples=len(labels),
        valid_examples=None if taken[1] is None else len(taken[1]),
        inputs=list(xs[0].shape[1:]),
        outputs=target.outputs,
        task=target.task,
        classes=target.classes,
        chance=target.chance([*parts.values()][-1][1]),
        options=options.given("channels", "scale", "missing", "limit"),
        scale=scale if found[train[0]].dtype != np.bool_ or scale == "unit" else "none",
        notes=remarks.notes,
    )
    named = {f"{role}{part}": array for part, pair in parts.items() for role, array in zip("xy", pair, strict=True)}
    return Decoded(content, named)


def _target(parts: Named, options: Options, remarks: Remarks, *, pictures: bool) -> _targets.Target:
    columns: list[NDArray[Any]] = []
    first = parts[0][0]
    for name, y in parts:
        if y.ndim > 2 or not y.size:
            raise InvalidUpload(f"{name} has shape {y.shape}; it should be (examples,) or (examples, outputs)")
        columns.append(y.reshape(len(y), -1))
        if y.dtype.kind != "U":
            check_finite(name, y)
    if len({(part.shape[1], part.dtype.kind == "U") for part in columns}) > 1:
        raise InvalidUpload(f"{first} and {parts[1][0]} differ in more than length")
    y = np.concatenate(columns)
    if y.dtype.kind == "U":
        if y.shape[1] > 1:
            raise InvalidUpload(f"{first} has {y.shape[1]} columns of text; classes are one column")
        return _of_texts(first, y[:, 0], options, remarks, pictures=pictures)
    if y.shape[1] > 1 and options.task is None and set(np.unique(y[:1000])) == {0, 1} and (y.sum(1) == 1).all():
        raise InvalidUpload(f"{first} looks one-hot: give the classes' numbers, y.argmax(1), or say task", "task")
    different = np.unique(y)
    labels = pictures and (y.dtype.kind in "biu" or np.array_equal(different, np.arange(len(different))))
    return _targets.of_numbers(y.astype(np.float64), options.task, first, remarks, labels=labels)


def _of_texts(name: str, y: NDArray[np.str_], options: Options, remarks: Remarks, *, pictures: bool) -> _targets.Target:
    """Return the target of texts (n,): numbers where all are, as a table's are, unless they are said to be classes."""
    try:
        texts, codes = np.unique(np.char.strip(y), return_inverse=True)
        plain = pa.array(texts.tolist(), pa.string())
    except ValueError as error:  # of code points that are none
        raise InvalidUpload(f"{name} holds text that cannot be read: {str(error)[:200]}") from None
    found = read_numbers(plain, decimal_of(name, plain, ","))
    others = np.isnan(found.values)
    counts = np.bincount(codes, minlength=len(texts))
    if options.task is None and others.any() and 2 * counts[~others].sum() >= len(y):
        at = int(np.argmax(np.isin(codes, np.flatnonzero(others))))
        raise InvalidUpload(
            f"{name}[{at}] is {str(y[at])[:40]!r} among {int(counts[~others].sum()):,} numbers, and a target is never "
            "imputed: if all are classes, say task=multiclass"
        )
    if others.any() or found.mixed or options.task in ("binary", "multiclass"):
        if options.task is None:
            remarks.note("task", f"{name} is text: its {len(texts):,} values are classes")
        return _targets.of_classes(codes, [str(text) for text in texts], options.task, name)
    ways = [SAID[way] for way in sorted(found.ways - {"point"})]
    how = f" {' and '.join(ways)}" if ways else ""
    remarks.note("task", f"{name} holds text, such as {str(texts[0])[:40]!r}, which is read as numbers{how}")
    task = "regression" if ways and options.task is None else options.task
    if ways and options.task is None:
        remarks.note("task", f"{name} is written as amounts are (regression); if it is classes, say task=multiclass")
    return _targets.of_numbers(found.values[codes][:, None], task, name, remarks, labels=pictures)
