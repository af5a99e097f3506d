"""Files of tensors that are whole or not there, whenever the process or the machine stops."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file


@contextmanager
def replacing(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, str]) -> Iterator[None]:
    """Write tensors and a header beside the path, synced; put them there at the end of the block. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, dict(about))
        except SafetensorError as error:  # of the disk: what is written is as it should be
            raise OSError(str(error)) from error
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        yield
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
