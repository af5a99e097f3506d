"""The list of a backup's files with their hashes, which is written last: a backup without it was not finished."""

import hashlib
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ValidationError

from core.errors import InitlabError
from core.files.folder import sync_folder

NAME = "backup.json"
UPLOADS, CHECKPOINTS, WEIGHTS, SECRET = "uploads", "checkpoints", "weights", "secret"
ABOUT = "about.json"
"""The description of a data set, beside its arrays."""


class BrokenBackup(InitlabError):
    """The folder is no whole backup."""

    title = "Broken backup"


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} leads out of the backup")
    return name


class BackedUp(NamedTuple):
    """A file of a backup."""

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """The contents of a backup."""

    format: Literal[1] = 1
    initlab: str
    """The version that made it."""
    revision: str
    """Of the database."""
    made_at: str
    database: Literal["sqlite", "postgresql"]
    with_files: bool
    """False: of the database alone."""
    missing: list[str]
    """Files that rows name and that were not there, or damaged: of checkpoints, those that newer ones replaced."""
    files: dict[Annotated[str, AfterValidator(_inside)], BackedUp]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the list of a backup, every file of which has its hash. Raises `BrokenBackup`."""
        try:
            found = cls.model_validate_json((folder / NAME).read_bytes())
        except FileNotFoundError as error:
            raise BrokenBackup(f"{folder} has no {NAME}: it is no backup, or one that was not finished") from error
        except ValidationError as error:
            raise BrokenBackup(f"{folder / NAME}: {error}") from error
        for name, meant in found.files.items():
            try:
                there = described(folder / name)
            except FileNotFoundError as error:
                raise BrokenBackup(f"{folder / name} is missing") from error
            if there != meant:
                raise BrokenBackup(f"{folder / name} has other content than was backed up: take another backup")
        return found

    def write(self, folder: Path) -> None:
        """Write the list, once all that it names is on the disk."""
        draft = folder / f".{NAME}"
        with draft.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / NAME)
        for one in (folder, folder.absolute().parent):
            sync_folder(one)

    def below(self, part: str) -> list[str]:
        """Return the names of the files in one of its folders, without the folder's."""
        return [name.removeprefix(f"{part}/") for name in self.files if name.startswith(f"{part}/")]


def described(path: Path) -> BackedUp:
    """Return the size and hash of a file, which is on the disk then."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        return BackedUp(os.fstat(file.fileno()).st_size, sha256)


def copy(path: Path, to: Path) -> BackedUp:
    """Copy a file into the backup, or out of it; returns the size and hash of the copy."""
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(path, to)
    return described(to)
