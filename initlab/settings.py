"""The client's settings, from the environment or `.env`."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The server's address, and the key to ask it with."""

    model_config = SettingsConfigDict(env_prefix="INITLAB_", env_file=".env", extra="ignore", frozen=True)

    url: str = "http://127.0.0.1:8000"
    api_key: str = ""
    project: str = ""
    """The project that experiments and data sets are posted into; empty: the default one."""
    journal: str = ""
    """The folder that keeps what runs log until the server has it; empty: ~/.local/state/initlab."""
    offline: str = ""
    """A folder that `initlab.external` writes into in place of asking a server; empty: it asks."""


class MlflowSettings(BaseSettings):
    """The keys of an MLflow server that runs are imported from, by the names that MLflow's client reads."""

    model_config = SettingsConfigDict(env_prefix="MLFLOW_TRACKING_", env_file=".env", extra="ignore", frozen=True)

    token: str = ""
    username: str = ""
    password: str = ""
