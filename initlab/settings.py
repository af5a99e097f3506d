"""The client's settings, from the environment or `.env`."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The server's address, and the key to ask it with."""

    model_config = SettingsConfigDict(env_prefix="INITLAB_", env_file=".env", extra="ignore", frozen=True)

    url: str = "http://127.0.0.1:8000"
    api_key: str = ""
    project: str = ""
    """The project that experiments and data sets are posted into; empty: the default one."""
