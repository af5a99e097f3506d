"""Faults that a training raises: of memory, of the device, or of the program, told apart by one table."""

from collections.abc import Iterator
from enum import StrEnum

import torch
from torch.torch_version import TorchVersion


class Fault(StrEnum):
    """Parts that can be at fault for an error, each with another way to go on."""

    MEMORY = "memory"
    """Memory ran out, a GPU's or the host's: fewer lanes may do."""
    DEVICE = "device"
    """This process can no longer use its GPU; another may. Also of errors that say too little: a loss is tried again,
    and twice lost, a cohort is split, so that it is right for a lack of memory too."""
    PROGRAM = "program"
    """The experiment's, this program's or the installation's: it would be the same again."""


MEMORY, DEVICE, PROGRAM = Fault

TABLE: tuple[tuple[str, Fault], ...] = (
    # torch's CUDA allocator: "CUDA out of memory. Tried to allocate"; cudaErrorMemoryAllocation of any CUDA call, such
    # as the instantiation of a graph: "CUDA error: out of memory"; expandable segments: "CUDA driver error: ..."
    ("out of memory", MEMORY),
    # the same allocator where NVML, which it asks for its message, is not to be had (pytorch#185240)
    ("NVML_SUCCESS == ", MEMORY),
    # torch's CPU allocator, on POSIX and on Windows (c10/core/impl/alloc_cpu.cpp); C++
    ("can't allocate memory", MEMORY),
    ("DefaultCPUAllocator: not enough memory", MEMORY),
    ("std::bad_alloc", MEMORY),
    # cuBLAS and cuSOLVER, in a handle's creation above all; cuDNN before 9
    ("_STATUS_ALLOC_FAILED", MEMORY),
    # cuDNN 9: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED (4004) and _HOST_ALLOCATION_FAILED (4003)
    ("_ALLOCATION_FAILED", MEMORY),
    # torch's convolutions, when every plan of cuDNN has failed; they swallow that it was for want of a workspace
    # (aten/src/ATen/native/cudnn/Conv_v8.cpp; pytorch#120719, #108645)
    ("unable to find an engine to execute this computation", MEMORY),
    # the same of one plan, or tensors of more than 2^31 elements (mberr/torch-max-mem#11). Where cuDNN really cannot do
    # it, halving ends at one run, which fails and says so
    ("CUDNN_STATUS_NOT_SUPPORTED", MEMORY),
    # torch's allocator after a failed capture, before 2.12 and in some paths later (pytorch#180395)
    ("captures_underway.empty() INTERNAL ASSERT FAILED", DEVICE),
    # cuBLAS, cuSOLVER and cuDNN: what was asked for cannot be done, or is no such thing
    ("_STATUS_NOT_SUPPORTED", PROGRAM),
    ("_STATUS_BAD_PARAM", PROGRAM),
    ("_STATUS_INVALID_VALUE", PROGRAM),
    ("_STATUS_ARCH_MISMATCH", PROGRAM),
    # libraries that do not belong together: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH, _SUBLIBRARY_LOADING_FAILED
    ("_VERSION_MISMATCH", PROGRAM),
    ("_SUBLIBRARY_LOADING_FAILED", PROGRAM),
    # cudaErrorAssert: an index out of its range. The context is lost with it, which shows when memory is given back
    ("device-side assert triggered", PROGRAM),
    # torch was not built for this GPU: cudaErrorNoKernelImageForDevice, -InvalidDeviceFunction, -InvalidKernelImage,
    # -UnsupportedPtxVersion
    ("no kernel image is available", PROGRAM),
    ("invalid device function", PROGRAM),
    ("device kernel image is invalid", PROGRAM),
    ("compiled with an unsupported toolchain", PROGRAM),
    # cudaErrorStreamCapture*, 900 to 908: something that cannot be captured; each has this in its text, and no other
    ("captur", PROGRAM),
    # all other errors of the CUDA runtime and its driver: an illegal address, a failed launch, ECC, a GPU that is gone
    ("CUDA error", DEVICE),
    ("CUDA driver error", DEVICE),
    # of the libraries, cuBLAS with "CUDA error" before it: EXECUTION_FAILED, NOT_INITIALIZED, and INTERNAL_ERROR, which
    # a full memory causes too (pytorch#81620)
    ("CUDNN_STATUS", DEVICE),
    ("CUSOLVER_STATUS", DEVICE),
)
"""Words of torch's, cuDNN's and cuBLAS' messages, and the fault that they tell; the first that an error has counts.

The CUDA runtime's are those of `cudaGetErrorString`, and of an error that is in none of the rows the type decides.
"""

UNWINDS_CAPTURES = "2.14"
"""The first torch that is as it was after a failed capture."""


def classify(error: BaseException) -> Fault:
    """Return the fault that an error tells, or one that it hides: torch ends a failed capture by another error."""
    found = {_told(one) for one in _chain(error)}
    return next((fault for fault in (DEVICE, MEMORY) if fault in found), PROGRAM)


def capture_failure_is_final(version: str = torch.__version__) -> bool:
    """Return whether a capture that failed leaves this torch's allocator unfit for more.

    Before 2.12 it stays in capture mode, and giving memory back ends the process (pytorch#180395); before 2.14 the
    memory that the capture had taken is kept for as long as the process lives (pytorch#190348).
    """
    return TorchVersion(version) < UNWINDS_CAPTURES


_spoiled = False


def note_failed_capture() -> None:
    """Note that a capture has failed in this process, which goes on without its graph."""
    global _spoiled
    _spoiled = _spoiled or capture_failure_is_final()


def is_spoiled() -> bool:
    """Return whether this process should end after its cohort, and give no memory back before, which may crash it."""
    return _spoiled


def _told(error: BaseException) -> Fault:
    if isinstance(error, MemoryError):  # Python's and NumPy's
        return MEMORY
    if not isinstance(error, RuntimeError):
        return PROGRAM
    text = str(error)
    otherwise = MEMORY if isinstance(error, torch.OutOfMemoryError) else PROGRAM
    if isinstance(error, torch.AcceleratorError):
        otherwise = DEVICE
    return next((fault for words, fault in TABLE if words in text), otherwise)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over an error and those that led to it, as a traceback shows them."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
