"""Queries: the progress of experiments, their series, their events as a stream, and statistics of the queue."""
