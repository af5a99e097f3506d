"""Faults of the machine, told from faults of the experiment by what a training raised."""

import torch


def out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, a GPU's, Python's, NumPy's or torch's on the CPU: fewer lanes may do.

    The last is a bare RuntimeError, told by its text.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def broken_device(error: BaseException) -> bool:
    """Return whether a GPU has failed: this process can no longer use it after such an error, another process may.

    Some libraries raise it as a bare RuntimeError, told by its text.
    """
    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and any(
        word in str(error) for word in ("CUDA error", "CUDNN_STATUS", "CUBLAS_STATUS")
    )
