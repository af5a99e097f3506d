"""Faults of the machine, told from faults of the experiment by what a training raised."""

import torch


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, a GPU's, Python's or NumPy's, or that of torch's CPU allocator: fewer lanes may do.

    The last is a bare RuntimeError, told by its text.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def broken_device(error: BaseException) -> bool:
    """Whether a GPU has failed: after such an error this process can use it no more, and another process may.

    Some libraries raise it as a bare RuntimeError, told by its text.
    """
    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and any(
        word in str(error) for word in ("CUDA error", "CUDNN_STATUS", "CUBLAS_STATUS")
    )
