"""The paths of MLflow's door."""

import re

BASE = "/mlflow"
PREFIX = f"{BASE}/api/2.0/mlflow"
ARTIFACTS = f"{BASE}/api/2.0/mlflow-artifacts"
READING = re.compile(rf"{BASE}/api/2\.0/mlflow/(runs|experiments)/search")
"""Paths of posts that change nothing."""
