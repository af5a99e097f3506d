"""Experiments: their description, training, analysis, pictures, storage and queue."""
