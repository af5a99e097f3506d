"""Weight initializers: each maps a weight's shape to the law its values are drawn from."""

from core.initializers._laws import Constant, Initializer, Law, Normal, Shape, Uniform, fans
from core.initializers._preview import preview
from core.registry import Registry

initializers = Registry("initializer", __name__)
InitializerEntry = initializers.field()

__all__ = [
    "Constant",
    "Initializer",
    "InitializerEntry",
    "Law",
    "Normal",
    "Shape",
    "Uniform",
    "fans",
    "initializers",
    "preview",
]
