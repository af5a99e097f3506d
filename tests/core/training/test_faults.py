"""Errors as torch, CUDA, cuDNN and cuBLAS word them, and the faults that they tell."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.training.faults import TABLE, Fault, capture_failure_is_final, classify

HELP = (
    "\nSearch for `{}' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for more information."
    "\nCUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be "
    "incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\nCompile with `TORCH_USE_CUDA_DSA` to enable "
    "device-side assertions.\n"
)
"""The words that torch adds to an error of the CUDA runtime (c10/cuda/CUDAException.cpp)."""


def _runtime(name: str, text: str) -> Exception:
    """Return the error that torch raises for one of the CUDA runtime: `text` is what `cudaGetErrorString` says."""
    return torch.AcceleratorError(f"CUDA error: {text}{HELP.format(name)}")


def _blas(status: str, call: str = "cublasCreate(handle)") -> Exception:
    return RuntimeError(f"CUDA error: {status} when calling `{call}`")


GEMM = "cublasGemmStridedBatchedEx(handle, opa, opb, (int)m, (int)n, (int)k, (void*)&falpha, a, CUDA_R_16BF, (int)lda)"
ALLOCATE = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which 1.2 GiB is"
NO_ENGINE = "GET was unable to find an engine to execute this computation"
MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError(ALLOCATE),
    _runtime("cudaErrorMemoryAllocation", "out of memory"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError('NVML_SUCCESS == r INTERNAL ASSERT FAILED at "/pytorch/c10/cuda/CUDACachingAllocator.cpp":1016'),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough memory: you tried to"),
    RuntimeError("std::bad_alloc"),
    _blas("CUBLAS_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`."),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"),
    RuntimeError(NO_ENGINE),
    RuntimeError("FIND was unable to find an engine to execute this computation after trying 6 plans."),
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear if you passed in a non-contiguous"),
]
DEVICE = [
    _runtime("cudaErrorIllegalAddress", "an illegal memory access was encountered"),
    _runtime("cudaErrorLaunchFailure", "unspecified launch failure"),
    _runtime("cudaErrorLaunchTimeout", "the launch timed out and was terminated"),
    _runtime("cudaErrorMisalignedAddress", "misaligned address"),
    _runtime("cudaErrorECCUncorrectable", "uncorrectable ECC error encountered"),
    _runtime("cudaErrorNvlinkUncorrectable", "uncorrectable NVLink error detected during the execution"),
    _runtime("cudaErrorNoDevice", "no CUDA-capable device is detected"),
    _runtime("cudaErrorDevicesUnavailable", "CUDA-capable device(s) is/are busy or unavailable"),
    _runtime("cudaErrorInsufficientDriver", "CUDA driver version is insufficient for CUDA runtime version"),
    _runtime("cudaErrorUnknown", "unknown error"),
    torch.AcceleratorError("in words that nobody has foreseen"),
    RuntimeError("CUDA error: unspecified launch failure"),  # as torch before 2.8 raised it, and libraries do
    RuntimeError("CUDA driver error: invalid device context"),
    _blas("CUBLAS_STATUS_NOT_INITIALIZED"),
    _blas("CUBLAS_STATUS_EXECUTION_FAILED", GEMM),
    _blas("CUBLAS_STATUS_INTERNAL_ERROR", GEMM),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_EXECUTION_FAILED, when calling `cusolverDnXgeqrf(handle, params)`"),
    RuntimeError('captures_underway.empty() INTERNAL ASSERT FAILED at "c10/cuda/CUDACachingAllocator.cpp":3941'),
]
PROGRAM = [
    ValueError("lanes should be one or more"),
    IndexError("CUDA error: in the words of another library"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
    _blas("CUBLAS_STATUS_NOT_SUPPORTED", GEMM),
    _blas("CUBLAS_STATUS_INVALID_VALUE", GEMM),
    _blas("CUBLAS_STATUS_ARCH_MISMATCH", GEMM),
    RuntimeError("cuDNN error: CUDNN_STATUS_BAD_PARAM"),
    RuntimeError("cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"),
    RuntimeError("cuDNN error: CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED"),
    _runtime("cudaErrorAssert", "device-side assert triggered"),
    _runtime("cudaErrorNoKernelImageForDevice", "no kernel image is available for execution on the device"),
    _runtime("cudaErrorInvalidDeviceFunction", "invalid device function"),
    _runtime("cudaErrorInvalidKernelImage", "device kernel image is invalid"),
    _runtime("cudaErrorUnsupportedPtxVersion", "the provided PTX was compiled with an unsupported toolchain."),
    _runtime("cudaErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"),
    _runtime("cudaErrorStreamCaptureInvalidated", "operation failed due to a previous error during capture"),
    _runtime("cudaErrorStreamCaptureMerge", "operation would result in a merge of separate capture sequences"),
    _runtime("cudaErrorStreamCaptureUnmatched", "capture was not ended in the same stream as it began"),
    _runtime("cudaErrorStreamCaptureUnjoined", "capturing stream has unjoined work"),
    _runtime("cudaErrorStreamCaptureIsolation", "dependency created on uncaptured work in another stream"),
    _runtime(
        "cudaErrorStreamCaptureImplicit", "operation would make the legacy stream depend on a capturing blocking stream"
    ),
    _runtime("cudaErrorCapturedEvent", "operation not permitted on an event last recorded in a capturing stream"),
    _runtime(
        "cudaErrorStreamCaptureWrongThread",
        "attempt to terminate a thread-local capture sequence from another thread",
    ),
]
TOLD = [(error, Fault.MEMORY) for error in MEMORY]
TOLD += [(error, Fault.DEVICE) for error in DEVICE]
TOLD += [(error, Fault.PROGRAM) for error in PROGRAM]


@pytest.mark.parametrize(("error", "fault"), TOLD, ids=[f"{fault}: {str(error)[:60]}" for error, fault in TOLD])
def test_an_error_tells_a_fault(error: Exception, fault: Fault) -> None:
    assert classify(error) is fault


def test_every_row_of_the_table_has_an_error_here() -> None:
    decided = {next((words for words, _ in TABLE if words in str(error)), None) for error, _ in TOLD}
    assert {words for words, _ in TABLE} <= decided


def _error(call: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as raised:
        call()
    return raised.value


@pytest.mark.parametrize(
    "call",
    [
        lambda: torch.empty(2**50, dtype=torch.uint8),
        lambda: np.empty(2**50, dtype=np.uint8),
        lambda: bytearray(2**50),
    ],
    ids=["torch", "numpy", "python"],
)
def test_memory_that_really_ran_out_is_told(call: Callable[[], Any]) -> None:
    assert classify(_error(call)) is Fault.MEMORY


@pytest.mark.parametrize("call", [lambda: torch.ones(2) @ torch.ones(3), lambda: [][0]])
def test_other_errors_are_the_programs(call: Callable[[], Any]) -> None:
    assert classify(_error(call)) is Fault.PROGRAM


def test_memory_that_ran_out_during_a_capture_is_told_by_the_error_that_ends_it() -> None:
    """`torch.cuda.graph` ends the capture as it leaves, which raises in turn: the cause is the context."""

    class Graph:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None:
            raise _runtime(
                "cudaErrorStreamCaptureInvalidated", "operation failed due to a previous error during capture"
            )

    def capture() -> None:
        with Graph():
            raise torch.OutOfMemoryError(ALLOCATE)

    assert classify(_error(capture)) is Fault.MEMORY


def test_the_worst_of_a_chain_counts() -> None:
    lost = _runtime("cudaErrorIllegalAddress", "an illegal memory access was encountered")

    def while_handling(inner: Exception, outer: Exception) -> Exception:
        def call() -> None:
            try:
                raise inner
            except type(inner):
                raise outer  # noqa: B904 as happens while an error is handled

        return _error(call)

    assert classify(while_handling(torch.OutOfMemoryError(ALLOCATE), lost)) is Fault.DEVICE
    assert classify(while_handling(lost, ValueError("no loss"))) is Fault.DEVICE
    assert classify(while_handling(MemoryError(), ValueError("no loss"))) is Fault.MEMORY


def test_a_cause_counts_and_what_is_hidden_on_purpose_does_not() -> None:
    def caused(by: Exception | None) -> Exception:
        def call() -> None:
            try:
                raise MemoryError
            except MemoryError:
                raise ValueError("no loss") from by

        return _error(call)

    assert classify(caused(by=torch.OutOfMemoryError(ALLOCATE))) is Fault.MEMORY
    assert classify(caused(by=None)) is Fault.PROGRAM


@pytest.mark.parametrize(
    ("version", "final"),
    [("2.10.0", True), ("2.11.0+cu128", True), ("2.13.0+cu130", True), ("2.14.0", False), ("2.15.1+cu130", False)],
)
def test_a_failed_capture_is_final_before_torch_unwinds_it(version: str, final: bool) -> None:
    assert capture_failure_is_final(version) is final


@pytest.mark.parametrize(("unwinds", "spoiled"), [("999", "True"), ("1.0", "False")])
def test_a_failed_capture_spoils_its_process_where_it_is_final(unwinds: str, spoiled: str) -> None:
    words = f"""
from core.training import faults
faults.UNWINDS_CAPTURES = "{unwinds}"
assert not faults.is_spoiled()
faults.note_failed_capture()
print(faults.is_spoiled())
"""
    root = Path(__file__).parents[3]
    told = subprocess.run([sys.executable, "-c", words], cwd=root, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == spoiled
