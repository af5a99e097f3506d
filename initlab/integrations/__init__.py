"""Callbacks of frameworks that log into a run: each module here needs its framework, and nobody else loads it."""
