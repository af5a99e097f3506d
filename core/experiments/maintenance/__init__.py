"""Maintenance: lost cohorts are queued again, lost wake-up tasks sent again, files that nobody needs removed."""

from core.experiments.maintenance.sweeper import Sweeper, sweep

__all__ = ["Sweeper", "sweep"]
