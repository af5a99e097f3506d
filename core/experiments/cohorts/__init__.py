"""Cohorts, the unit of queueing: their states, claims, leases, recovery and checkpoints, and who holds them."""

"""Cohorts, the unit of queueing: their states, claims, leases, recovery and checkpoints, and who holds them."""
