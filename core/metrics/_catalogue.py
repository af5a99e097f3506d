"""The catalogue of metrics, apart from the package so that modules of the package can import it."""

from core.catalogue import Catalogue
from core.metrics._metric import Metric

metrics = Catalogue[Metric]("metric", "core.metrics")
