"""The folders of an archive: one a class, perhaps below those to train on and to validate on."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple
from zipfile import ZipFile, ZipInfo

from core.datasets._archives import shown
from core.datasets._content import InvalidUpload, Remarks
from core.datasets._parts import Part, held_out, part_of

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff"}
)
STRAY = frozenset(
    {
        ".txt",
        ".md",
        ".rst",
        ".csv",
        ".tsv",
        ".json",
        ".jsonl",
        ".xml",
        ".html",
        ".htm",
        ".pdf",
        ".yaml",
        ".yml",
        ".toml",
    }
    | {".py", ".ipynb", ".m", ".r", ".sh", ".mat", ".pkl", ".log", ".doc", ".docx", ".xls", ".xlsx", ".bib", ".url"}
)
"""Endings of files that people put beside pictures."""
_WORDS = frozenset(
    {"readme", "license", "licence", "copying", "notice", "authors", "checksums", "md5sums", "sha256sums"}
)
_HIDDEN = frozenset({"__MACOSX", "__pycache__", "Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini", "ehthumbs.db"})
_SHOWN = 5
Paths = dict[ZipInfo, tuple[str, ...]]


class Picture(NamedTuple):
    """One image, with the class that its folder names."""

    entry: ZipInfo
    label: str


class Found(NamedTuple):
    """The pictures of an archive, ordered by name."""

    train: list[Picture]
    valid: list[Picture]
    classes: list[str]


def pictures(archive: ZipFile, remarks: Remarks) -> Found:
    """Return the pictures of all classes; a single folder around them all is no class. Raises `InvalidUpload`."""
    paths = _without_strays(visible(archive), remarks)
    while len({parts[0] for parts in paths.values()}) == 1 and _depth(paths) > 2:
        paths = {entry: parts[1:] for entry, parts in paths.items() if parts[1:]}
    if not _depth(paths):
        raise InvalidUpload("there are no images in the archive")
    below = _depth({entry: parts for entry, parts in paths.items() if part_of(parts[0]) == "train"})
    parts_of = _parts({parts[0] for entry, parts in paths.items() if entry.is_dir() or len(parts) > 1}, below)
    for part in parts_of:
        paths = _unwrapped(paths, part)
    files = {entry: parts for entry, parts in sorted(paths.items(), key=lambda item: item[1]) if not entry.is_dir()}
    folders = {parts if entry.is_dir() else parts[:-1] for entry, parts in paths.items()}
    _check_depth(
        {entry: parts for entry, parts in files.items() if len(parts) != 2 + bool(parts_of)}, parts_of, remarks
    )
    found: dict[Part, list[Picture]] = {"train": [], "valid": [], "test": []}
    for entry, parts in files.items():
        found[parts_of[parts[0]] if parts_of else "train"].append(Picture(entry, parts[-2]))
    chosen = held_out({part for part, pictures in found.items() if pictures and part != "train"})
    if chosen == "valid" and found["test"]:
        remarks.note(
            "file", f"the {len(found['test']):,} pictures to test on are not used: validation is on the others"
        )
    elif chosen == "test":
        remarks.note("file", f"validation is on the {len(found['test']):,} pictures to test on")
    valid = found[chosen] if chosen else []
    used = {parts for parts, part in parts_of.items() if part in ("train", chosen)}
    named = {
        folder[1] if parts_of else folder[0]
        for folder in folders
        if len(folder) > bool(parts_of) and (not parts_of or folder[0] in used)
    }
    return Found(found["train"], valid, _classes(found["train"], valid, named))


def visible(archive: ZipFile) -> Paths:
    """Return the paths of all entries but those that a file manager or an editor left: hidden ones, at any depth."""
    paths = {entry: PurePosixPath(entry.filename).parts for entry in archive.infolist()}
    return {entry: parts for entry, parts in paths.items() if parts and not any(map(_is_hidden, parts))}


def is_stray(parts: Sequence[str]) -> bool:
    """Return True for a file that is no picture by its name, such as a licence."""
    path = PurePosixPath(parts[-1].lower())
    return path.suffix in STRAY or (path.suffix not in SUFFIXES and path.stem in _WORDS)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or name in _HIDDEN


def _without_strays(paths: Paths, remarks: Remarks) -> Paths:
    strays = [entry for entry, parts in paths.items() if not entry.is_dir() and is_stray(parts)]
    if strays:
        names = ", ".join(shown(entry) for entry in strays[:_SHOWN])
        more = f" and {len(strays) - _SHOWN:,} more" if len(strays) > _SHOWN else ""
        remarks.note("file", f"{names}{more} {'is no picture' if len(strays) == 1 else 'are no pictures'}: left out")
    return {entry: parts for entry, parts in paths.items() if entry not in set(strays)}


def _depth(paths: Paths) -> int:
    """Return the least number of names in the path of a file."""
    return min((len(parts) for entry, parts in paths.items() if not entry.is_dir()), default=0)


def _unwrapped(paths: Paths, part: str) -> Paths:
    """Return the paths of a part's pictures without a single folder around all of its classes, as in train/train/."""
    own = {entry: parts for entry, parts in paths.items() if parts[0] == part}
    while len({parts[1] for parts in own.values() if len(parts) > 1}) == 1 and _depth(own) > 3:
        own = {entry: (part, *parts[2:]) for entry, parts in own.items() if len(parts) > 2}
    return {entry: parts for entry, parts in paths.items() if parts[0] != part} | own


def _check_depth(misplaced: Paths, parts_of: dict[str, Part], remarks: Remarks) -> None:
    """Refuse pictures that are in no folder of a class: the first by their names, and how many more."""
    where = "train/<class>/ or test/<class>/" if parts_of else "<class>/"
    for entry in list(misplaced)[:_SHOWN]:
        remarks.refuse(f"{shown(entry)} is not in a folder {where}")
    if len(misplaced) > _SHOWN:
        remarks.refuse(f"{len(misplaced) - _SHOWN:,} more pictures are not in a folder {where}")
    if misplaced:
        remarks.check()


def _parts(names: set[str], depth: int) -> dict[str, Part]:
    """Return the parts that the folders at the top are, where they are all parts; else nothing.

    `depth` is that of the pictures to train on. Raises `InvalidUpload` where these have folders of classes, and another
    folder at the top is of no known name.
    """
    meant = {name: part_of(name) for name in names}
    parts = {name: part for name, part in meant.items() if part is not None}
    if len(parts) < len(names) and "train" in parts.values() and depth > 2:
        others = ", ".join(repr(name) for name in sorted(names - set(parts))[:_SHOWN])
        raise InvalidUpload(
            f"the folders at the top are parts, such as {sorted(parts)[0]!r}, and {others} is no name of one: rename "
            "the folder to test or valid, or leave it out"
        )
    if len(parts) < len(names) or "train" not in parts.values():
        return {}
    if len(set(parts.values())) < len(parts):
        raise InvalidUpload(f"{', '.join(sorted(parts))}: there should be one folder for each part")
    return parts


def _classes(train: list[Picture], valid: list[Picture], folders: set[str]) -> list[str]:
    classes = sorted({one.label for one in train})
    for folder in sorted(folders - set(classes)):
        raise InvalidUpload(f"class folder {folder!r} has no images to train with")
    if not valid and len(train) < 2:
        raise InvalidUpload("there is one image; training and validation need one each")
    return classes
