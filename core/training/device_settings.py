"""The settings of a device while lanes train on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.spec import Precision


@contextmanager
def device_settings(precision: Precision, device: str) -> Iterator[None]:
    """Set a GPU's precision of products; the CPU's are float32, or 16 bits by autocast. A GPU works in a stream of the
    training's own: a graph cannot be captured in the default one."""
    if device == "cpu":
        yield
        return
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic
    matmul.allow_tf32 = cudnn.allow_tf32 = precision == "tf32"
    cudnn.deterministic = True
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        torch.cuda.current_stream().wait_stream(stream)
        matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic = before
