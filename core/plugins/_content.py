"""The content of a plug-in: a hash of its files."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path


def sha256_of(places: Iterable[Path]) -> str:
    """Return the SHA-256 of files, and of all that folders hold, each by its path within and its bytes.

    What Python makes of them by itself, and names that begin with a point, do not count. Raises OSError.
    """
    digest = hashlib.sha256()
    for place in places:
        for name, path in _files(place):
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _files(place: Path) -> Iterator[tuple[str, Path]]:
    if place.is_file():
        yield place.name, place
        return
    found = ((path.relative_to(place), path) for path in place.rglob("*") if path.is_file())
    counted = ((inside.as_posix(), path) for inside, path in found if not _is_passing(inside))
    yield from sorted(counted)


def _is_passing(inside: Path) -> bool:
    return inside.suffix == ".pyc" or any(part == "__pycache__" or part.startswith(".") for part in inside.parts)
