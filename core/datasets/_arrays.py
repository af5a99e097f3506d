"""Readers of NumPy archives: x and y, and optionally a validation split; never a pickle."""

import math
from typing import Any, BinaryIO
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.datasets import _targets
from core.datasets._archives import BROKEN, open_archive, shown
from core.datasets._content import Content, Decoded, InvalidUpload, Options
from core.registry import unknown

TRAIN = (("x", "y"), ("x_train", "y_train"))
VALID = (("x_test", "y_test"), ("x_valid", "y_valid"))
CHANNELS = (1, 3, 4)


def read(file: BinaryIO, options: Options) -> Decoded:
    """Read `x` (n, ...) and `y` (n,) or (n, outputs), or `x_train` and `y_train`; `x_test` and `y_test`, if any.

    Images (n, h, w) get a channel, and (n, h, w, c) become (n, c, h, w). Raises `InvalidUpload`.
    """
    options.only("task", kind="arrays")
    with open_archive(file) as archive:
        arrays = {entry.filename.removesuffix(".npy"): _array(archive, entry.filename) for entry in archive.infolist()}
    names = [name for pair in (*TRAIN, *VALID) for name in pair]
    for name in arrays.keys() - set(names):
        raise InvalidUpload(unknown("array", name, names).message)
    train, valid = _pair(arrays, TRAIN), _pair(arrays, VALID)
    if train is None:
        raise InvalidUpload("there should be the arrays x and y")
    pairs = [train] if valid is None else [train, valid]
    xs = [_examples(name, arrays[name]) for name, _ in pairs]
    for (x_name, y_name), x in zip(pairs, xs, strict=True):
        if len(x) != len(arrays[y_name]):
            raise InvalidUpload(f"{x_name} has {len(x):,} examples and {y_name} {len(arrays[y_name]):,}")
    if xs[-1].shape[1:] != xs[0].shape[1:] or xs[-1].dtype != xs[0].dtype:
        described = [f"{name} is {x.dtype} {x.shape}" for (name, _), x in zip(pairs, xs, strict=True)]
        raise InvalidUpload(f"{' and '.join(described)}: they should differ in length only")
    if valid is None and len(xs[0]) < 2:
        raise InvalidUpload(f"x has {len(xs[0])} examples; training and validation need one each")
    target = _target([(name, arrays[name]) for _, name in pairs], options)
    held_out = None if valid is None else len(xs[1])
    first = len(target.y) - (held_out or 0)
    content = Content(
        kind="arrays",
        examples=len(target.y),
        valid_examples=held_out,
        inputs=list(xs[0].shape[1:]),
        outputs=target.outputs,
        task=target.task,
        classes=target.classes,
        chance=target.chance(target.y if held_out is None else target.y[first:]),
        options={},
    )
    found = {"x": xs[0], "y": target.y[:first]}
    return Decoded(content, found if held_out is None else found | {"x_valid": xs[1], "y_valid": target.y[first:]})


def _array(archive: ZipFile, name: str) -> NDArray[Any]:
    """Read one array after checking its header against the entry's size."""
    entry = archive.getinfo(name)
    if not name.endswith(".npy") or "/" in name:
        raise InvalidUpload(f"{shown(entry)} is no array: write the file with numpy.savez")
    try:
        with archive.open(entry) as file:
            version = npy.read_magic(file)
            shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
            if dtype.hasobject:
                raise InvalidUpload(f"{name.removesuffix('.npy')} holds Python objects (a pickle), not numbers")
            if dtype.kind not in "biufU" or (dtype.kind == "f" and dtype.itemsize > 8):
                raise InvalidUpload(f"{name.removesuffix('.npy')} holds {dtype}, not numbers")
            if file.tell() + math.prod(shape) * dtype.itemsize != entry.file_size:
                raise InvalidUpload(f"{shown(entry)} is damaged: its header does not fit its size")
        with archive.open(entry) as file:
            found: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    except BROKEN as error:
        raise InvalidUpload(f"{shown(entry)} cannot be read as an array: {str(error)[:200]}") from None
    if not found.ndim:
        raise InvalidUpload(f"{name.removesuffix('.npy')} is one number, not an array")
    return found


def _pair(arrays: dict[str, NDArray[Any]], known: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    present = [pair for pair in known if set(pair) & arrays.keys()]
    if len(present) > 1:
        raise InvalidUpload(f"there should be {' and '.join(present[0])} or {' and '.join(present[1])}, not both")
    for name in present[0] if present else ():
        if name not in arrays:
            raise InvalidUpload(f"there is no array {name}")
    return present[0] if present else None


def _examples(name: str, x: NDArray[Any]) -> NDArray[Any]:
    """Return `x` with channels first; uint8 stays uint8, every other type becomes float32."""
    if x.dtype.kind == "U":
        raise InvalidUpload(f"{name} holds text, not numbers")
    if x.ndim < 2 or not x.size:
        raise InvalidUpload(f"{name} has shape {x.shape}; it should be (examples, ...) with nothing of it empty")
    if x.dtype != np.uint8:
        with np.errstate(over="ignore"):
            x = x.astype(np.float32)
        _finite(name, x)
    if x.ndim == 3:
        return np.ascontiguousarray(x[:, None])
    if x.ndim == 4 and x.shape[3] in CHANNELS and x.shape[1] not in CHANNELS:
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return np.ascontiguousarray(x)


def _target(parts: list[tuple[str, NDArray[Any]]], options: Options) -> _targets.Target:
    columns = []
    for name, y in parts:
        if y.ndim > 2 or not y.size:
            raise InvalidUpload(f"{name} has shape {y.shape}; it should be (examples,) or (examples, outputs)")
        columns.append(y.reshape(len(y), -1))
        if y.dtype.kind != "U":
            _finite(name, y)
    if len({(part.shape[1], part.dtype.kind == "U") for part in columns}) > 1:
        raise InvalidUpload(f"{parts[0][0]} and {parts[1][0]} differ in more than length")
    y = np.concatenate(columns)
    if y.dtype.kind == "U":
        if y.shape[1] > 1:
            raise InvalidUpload(f"{parts[0][0]} has {y.shape[1]} columns of text; classes are one column")
        names, codes = np.unique(y[:, 0], return_inverse=True)
        return _targets.of_classes(codes, [str(name) for name in names], options.task, parts[0][0])
    if y.shape[1] > 1 and options.task is None and set(np.unique(y[:1000])) == {0, 1} and (y.sum(1) == 1).all():
        raise InvalidUpload(f"{parts[0][0]} looks one-hot: give the classes' numbers, y.argmax(1), or say task", "task")
    return _targets.of_numbers(y.astype(np.float64), options.task, parts[0][0])


def _finite(name: str, values: NDArray[Any]) -> None:
    for start in range(0, len(values), 4096):
        wrong = np.argwhere(~np.isfinite(values[start : start + 4096]))
        if len(wrong):
            place = (start + int(wrong[0][0]), *(int(i) for i in wrong[0][1:]))
            raise InvalidUpload(f"{name}{list(place)} is {values[place]}, not finite (as float32)")
