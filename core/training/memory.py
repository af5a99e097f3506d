"""Running out of memory: a training that needed too much at once may go on with fewer lanes."""

import torch


def out_of_memory(error: BaseException) -> bool:
    """Whether this error says that memory ran out: a GPU's, Python's or NumPy's, or the one of torch's CPU allocator.

    The last is a bare RuntimeError, told by its text.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
