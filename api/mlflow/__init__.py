"""MLflow's door: the part of its tracking REST API that clients use, for training loops that log there already."""

from api.mlflow.answers import MlflowErrorsMiddleware
from api.mlflow.files import artifacts, models
from api.mlflow.routes import router
from api.mlflow_paths import BASE

__all__ = ["BASE", "MlflowErrorsMiddleware", "artifacts", "models", "router"]
