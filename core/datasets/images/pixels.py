"""The pixels of one image: upright, without transparency, of one mode and size."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple
from zipfile import ZipFile, ZipInfo

from PIL import Image, ImageOps

from core.datasets._archives import BROKEN, shown, unpack
from core.datasets._content import InvalidUpload

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
GREY = ("1", "L", "LA", "La")
DEEP = ("I", "F")
"""Prefixes of the modes of images with more than 8 bits a pixel."""
MOST_PIXELS = 50_000_000
_ORIENTATION = 0x0112
_UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error),
    *(Image.DecompressionBombError, AttributeError, OverflowError, MemoryError),
    *(RuntimeError, ZeroDivisionError, AssertionError),
)
"""The exceptions that the decoders raise for damaged files."""
Colour = tuple[int, int, int]


class Header(NamedTuple):
    """The properties of an image that its header tells."""

    size: tuple[int, int]
    """Width and height, upright."""
    grey: bool
    turned: bool
    """It is stored sideways, upside down or mirrored, and says so."""
    frames: bool
    """It has more than one frame."""


class Layout(NamedTuple):
    """Properties that all images have once they are decoded."""

    width: int
    height: int
    mode: str
    background: Colour


def read_area(archive: ZipFile, entry: ZipInfo) -> int:
    """Return an image's number of pixels, undecoded; 0 where that cannot be read, which `read_header` tells."""
    try:
        with archive.open(entry) as file, Image.open(file, formats=FORMATS) as image:
            return int(image.size[0] * image.size[1])
    except (*BROKEN, *_UNREADABLE):
        return 0


def read_header(archive: ZipFile, entry: ZipInfo) -> Header:
    """Return what an image's header tells; raises `InvalidUpload` for one that cannot be used."""
    with _opened(archive, entry) as image:
        try:
            width, height = image.size
            orientation = image.getexif().get(_ORIENTATION, 1)
            frames = bool(getattr(image, "is_animated", False))
        except _UNREADABLE as error:
            raise _broken(entry, error) from None
        if width * height > MOST_PIXELS:
            raise InvalidUpload(f"{shown(entry)} has {width} x {height} pixels; {MOST_PIXELS:,} is the most")
        if image.mode.startswith(DEEP):
            raise InvalidUpload(f"{shown(entry)} has more than 8 bits a pixel: save it with 8")
        turned = orientation in range(2, 9)
        sideways = orientation in range(5, 9) and image.format != "TIFF"  # of which Pillow tells the upright size
        size = (height, width) if sideways else (width, height)
        return Header(size, image.mode in GREY, turned, frames)


def read_pixels(archive: ZipFile, entry: ZipInfo, layout: Layout) -> tuple[Iterator[bytes], bool]:
    """Return the image's channels, one after the other, and True where it had transparent pixels."""
    try:
        with _opened(archive, entry) as image:
            upright = ImageOps.exif_transpose(image)
            plain, transparent = _composited(upright, layout)
            if plain.size != (layout.width, layout.height):
                plain = plain.resize((layout.width, layout.height), Image.Resampling.BILINEAR)
    except _UNREADABLE as error:
        raise _broken(entry, error) from None
    return (band.tobytes() for band in plain.split()), transparent


def _composited(image: Image.Image, layout: Layout) -> tuple[Image.Image, bool]:
    """Return the image over its background where it has transparent pixels."""
    if not image.has_transparency_data:
        return image.convert(layout.mode), False
    colours = image.convert("RGBA")
    if colours.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB").convert(layout.mode), False
    behind = Image.new("RGBA", colours.size, (*layout.background, 255))
    return Image.alpha_composite(behind, colours).convert(layout.mode), True


def _opened(archive: ZipFile, entry: ZipInfo) -> Image.Image:
    try:
        return Image.open(BytesIO(unpack(archive, entry)), formats=FORMATS)
    except _UNREADABLE:
        raise InvalidUpload(f"{shown(entry)} is no image ({', '.join(FORMATS)})") from None


def _broken(entry: ZipInfo, error: BaseException) -> InvalidUpload:
    return InvalidUpload(f"{shown(entry)} cannot be read as an image: {str(error)[:200]}")
