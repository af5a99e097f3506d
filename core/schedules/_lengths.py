"""Lengths that have to fit into each other."""


def at_least_the_warm_up(total_steps: int | None, warmup_steps: int) -> None:
    """Raise `ValueError` where a schedule of `total_steps` would end before its own warm-up does."""
    if total_steps is not None and total_steps < warmup_steps:
        raise ValueError(f"total_steps counts the warm-up: it should be {warmup_steps} or more, got {total_steps}")
