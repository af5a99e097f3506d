"""Shares of a layer that are too large."""

from core.analysis.findings._rule import Bounds, Finding
from core.analysis.findings._runs import LayerDiagnostics


def share_finding(run: LayerDiagnostics, bounds: Bounds, metric: str) -> Finding | None:
    """Return the layers whose share reaches the bound of that name, at the first point or else at the last."""
    for point in run.ends:
        shares = run.at(metric, run.layers, point)
        layers = [layer for layer, share in shares.items() if share >= bounds[metric]]
        if layers:
            worst = max(layers, key=lambda layer: shares[layer])
            return Finding(
                layer=worst,
                step=run.steps[point],
                numbers={metric: shares[worst]},
                bound=metric,
                layers=layers,
            )
    return None
