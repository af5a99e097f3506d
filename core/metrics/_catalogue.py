"""The catalogue of metrics, apart from the package so that modules of the package can import it."""

from core.catalogue import Catalogue
from core.metrics._metric import SPLIT_OF_CHOICES, Metric, on_test


class _Metrics(Catalogue[Metric]):
    """Every metric of the validation split is one of the test split too, so that none can be forgotten there."""

    def add(self, record: Metric) -> Metric:
        if record.split == SPLIT_OF_CHOICES:
            super().add(on_test(record))
        return super().add(record)


metrics = _Metrics("metric", "core.metrics")
