"""Archives of images as data sets."""

from core.datasets.images.reader import read_images

__all__ = ["read_images"]
