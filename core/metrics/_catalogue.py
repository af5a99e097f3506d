"""The catalogue itself, below what asks it for names."""

from core.catalogue import Catalogue
from core.metrics._metric import Metric

metrics = Catalogue[Metric]("metric", "core.metrics")
