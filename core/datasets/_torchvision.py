"""Moved to `core.torchvision`."""

from core.torchvision import load as load
