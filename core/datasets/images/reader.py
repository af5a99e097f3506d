"""Reads archives of images: pixels are written as they are decoded, and never are in memory together."""

import os
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy

from core.datasets import _targets
from core.datasets._archives import FREE, MOST_TIMES, shown
from core.datasets._content import MOST_DECODED, Content, Decoded, InvalidUpload, Remarks
from core.datasets._limit import subsets
from core.datasets._options import Options
from core.datasets.images.damage import Damage
from core.datasets.images.folders import Found, Picture, pictures
from core.datasets.images.pixels import Header, Layout, read_area, read_header, read_pixels

MOST_PIXELS = 2**34
"""Of all pictures as they are stored, which a processor decodes in about a minute."""
OPTIONS = ("resize", "background", "task", "limit")


def read_images(archive: ZipFile, options: Options, into: Path, remarks: Remarks) -> Decoded:
    """Read images of one size, or resize them by `resize`; grey if all are grey. Raises `InvalidUpload`.

    They are upright, lie on `background` where they are transparent, and are uint8 (n, channels, height, width).
    """
    options.only(*OPTIONS, kind="images")
    if options.task == "regression":
        raise InvalidUpload("regression needs numbers: pictures are of the classes that their folders name", "task")
    found = _limited(pictures(archive, remarks), options, remarks)
    damage = Damage()
    _check_decoded(archive, [*found.train, *found.valid], damage)
    layout = _layout(archive, [*found.train, *found.valid], options, remarks, damage)
    codes = np.array([found.classes.index(one.label) for one in (*found.train, *found.valid)])
    target = _targets.of_classes(codes, found.classes, options.task, "the archive")
    transparent = _write(archive, found.train, layout, into / "x.npy", remarks, damage)
    arrays = {"y": target.y[: len(found.train)]}
    if found.valid:
        transparent += _write(archive, found.valid, layout, into / "x_valid.npy", remarks, damage)
        arrays["y_valid"] = target.y[len(found.train) :]
    remarks.check()
    damage.note(remarks)
    if transparent:
        behind = options.background or "white"
        text = f"{transparent:,} pictures have transparent pixels: they lie on {behind}; background says another colour"
        remarks.note("background", text)
    _targets.note_rare(target, len(found.valid) or None, remarks)
    content = Content(
        kind="images",
        examples=len(codes),
        valid_examples=len(found.valid) or None,
        inputs=[_channels(layout), layout.height, layout.width],
        outputs=target.outputs,
        task=target.task,
        classes=target.classes,
        chance=target.chance(arrays.get("y_valid", target.y)),
        options={"resize": f"{layout.width}x{layout.height}" if options.resize else None}
        | options.given("background", "limit"),
        notes=remarks.notes,
    )
    return Decoded(content, arrays)


def _limited(found: Found, options: Options, remarks: Remarks) -> Found:
    """Return the pictures of a subset, chosen before any is decoded."""
    everything = [*found.train, *found.valid]
    codes = np.array([found.classes.index(one.label) for one in everything])
    train, valid = subsets(codes, len(everything), len(found.valid) or None, options.limit)
    taken = Found(
        [found.train[i] for i in train], [found.valid[i] for i in valid] if valid is not None else [], found.classes
    )
    count = len(taken.train) + len(taken.valid)
    if count < len(everything):
        remarks.note("limit", f"{count:,} of {len(everything):,} pictures, the same ones always")
    return taken


def _layout(archive: ZipFile, files: list[Picture], options: Options, remarks: Remarks, damage: Damage) -> Layout:
    """Read every header: the common size, and whether all images are grey."""
    first: tuple[Picture, Header] | None = None
    grey, turned, framed = True, 0, 0
    for one in files:
        with remarks.gathered(), damage.heard(one.entry):
            header = read_header(archive, one.entry)
            grey = grey and header.grey
            turned, framed = turned + header.turned, framed + header.frames
            first = first or (one, header)
            if header.size != first[1].size and options.resize is None:
                _refuse_sizes(first, (one, header), remarks)
    remarks.check()
    assert first is not None  # noqa: S101 there are images
    sides = first[1].size if options.resize is None else tuple(int(side) for side in options.resize.split("x"))
    grey = grey and len(set(options.colour)) == 1
    layout = Layout(sides[0], sides[-1], "L" if grey else "RGB", options.colour)
    if len(files) * layout.width * layout.height * _channels(layout) > MOST_DECODED:
        raise InvalidUpload(
            f"{len(files):,} images of {layout.width} x {layout.height} are too many: say resize=SIDE", "resize"
        )
    if turned:
        remarks.note(
            "file", f"{turned:,} pictures say that they are stored turned or mirrored (EXIF): they are put upright"
        )
    if framed:
        remarks.note("file", f"{framed:,} pictures have several frames: the first of each is taken")
    return layout


def _check_decoded(archive: ZipFile, files: list[Picture], damage: Damage) -> None:
    """Raise `InvalidUpload` for pictures that together decode to far more than was sent: white packs to nothing.

    Before all else: Pillow decodes a PNG to tell how it is turned.
    """
    assert archive.fp is not None  # noqa: S101 it is open
    most = min(MOST_PIXELS, max(FREE, MOST_TIMES * archive.fp.seek(0, os.SEEK_END)))
    pixels = 0
    for one in files:
        with damage.heard(one.entry):
            pixels += read_area(archive, one.entry)
        if pixels > most:
            raise InvalidUpload(
                f"the pictures have more than {most:,} pixels in all, the most for an archive of its size: "
                "make them smaller, or say limit"
            )


def _refuse_sizes(first: tuple[Picture, Header], other: tuple[Picture, Header], remarks: Remarks) -> None:
    said = [f"{shown(one.entry)} is {header.size[0]} x {header.size[1]}" for one, header in (first, other)]
    remarks.refuse(f"{' and '.join(said)}: say resize=SIDE, or WIDTHxHEIGHT", "resize")
    remarks.check()  # all others may differ too


def _write(archive: ZipFile, files: list[Picture], layout: Layout, path: Path, remarks: Remarks, damage: Damage) -> int:
    """Write the pixels of all images; return how many had transparent ones."""
    shape = (len(files), _channels(layout), layout.height, layout.width)
    count = 0
    with path.open("wb") as out:
        npy.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for one in files:
            with remarks.gathered(), damage.heard(one.entry):
                bands, transparent = read_pixels(archive, one.entry, layout)
                count += transparent
                for band in bands:
                    out.write(band)
    return count


def _channels(layout: Layout) -> int:
    return 1 if layout.mode == "L" else 3
