"""Errors of a regression against scikit-learn's."""

from typing import Any

from sklearn.metrics import mean_absolute_error, mean_squared_error


def _rmse(outputs: Any, y: Any) -> float:
    """Over all targets together; scikit-learn's own root is taken of each target before their mean."""
    return float(mean_squared_error(y, outputs) ** 0.5)


PEERS = {"valid_mae": lambda outputs, y: mean_absolute_error(y, outputs), "valid_rmse": _rmse}
