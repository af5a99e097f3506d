"""NumPy archives as data sets."""

from core.datasets.arrays.reader import read_arrays

__all__ = ["read_arrays"]
