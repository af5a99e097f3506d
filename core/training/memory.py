"""Giving back the memory of a training that has ended."""

import gc

import torch

from core.failpoints import reached


def release() -> None:
    """Give back what a training held: others on this machine may need it, and the next in this process does.

    Waits for the device, so that an error which it had not told yet is raised here.
    """
    reached("memory.release")
    gc.collect()  # what a training makes refers to itself here and there
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
