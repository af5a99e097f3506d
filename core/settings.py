"""The service's settings, from the environment or `.env`. Nothing else in the service reads the environment."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """The service's settings, each with a default that runs on a bare machine."""

    model_config = SettingsConfigDict(env_prefix="INITLAB_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("var")
    """Database, queue files and data sets of the embedded service."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in the data directory."""
    broker_url: str = ""
    """Celery broker URL; empty: the filesystem broker in the data directory."""
    data_root: Path | None = None
    """The folder of torchvision's data sets; none: `<data_dir>/datasets`."""
    api_keys_file: Path | None = None
    """Hashed API keys, one a line; none: loopback only."""
    cache_dir: Path = Path("~/.cache/initlab")
    """The folder of what can be made again: the profiles of machines."""
    torch_threads: int | None = None
    """Threads of one training process; none: as planned for each cohort."""
    lease_seconds: float = 30.0
    """Seconds that a silent worker keeps its cohort."""
    sweep_seconds: float = 1.0
    """Seconds between two searches for lost cohorts and lost wake-up tasks."""
    hang_seconds: float = 60.0
    """An update that takes longer, and much longer than any before, is a hang: its process ends itself."""
    max_unfinished_runs: Annotated[int, Field(ge=0)] = 100_000
    """Queued and running ones of each API key that names no number of its own; of all users where there are no keys."""
    keep_days: Annotated[float, Field(gt=0)] | None = None
    """Days after its end at which an experiment is deleted; none: never."""
    webhook_private_targets: bool = False
    """Webhooks may be sent to addresses inside of a network, and without TLS."""
    log_format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line for programs."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    """The least that is logged of what the service itself says."""
    carbon_intensity: Annotated[float, Field(ge=0)] | Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """g CO2e of a kWh, or a country's ISO code of three letters (with initlab[energy]); none: 475, the world's mean."""
    failpoints: Path | None = None
    """For tests: the folder of orders of `core.failpoints`."""
    drain_seconds: float = 1.0
    """Seconds that an API still answers after it was told to leave."""
    header_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Seconds in which the header of a request comes."""
    body_seconds: Annotated[float, Field(gt=0)] = 30.0
    """Seconds in which the body of a request comes, beside one for each 10 kB; and in which a client reads on."""
    max_connections: Annotated[int, Field(ge=1)] = 1000
    """Open connections of an API process."""

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'initlab.sqlite'}"

    @property
    def datasets(self) -> Path:
        """The folder of torchvision's data sets."""
        return self.data_root or self.data_dir / "datasets"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints that interrupted training goes on from; workers that may take over share it."""
        return self.data_dir / "checkpoints"

    @property
    def logs_folder(self) -> Path:
        """The folder of the logs of attempts."""
        return self.data_dir / "logs"

    @property
    def cache(self) -> Path:
        """The folder of what can be made again."""
        return Path(os.path.expanduser(self.cache_dir))  # as it is where nobody is at home

    @property
    def secret(self) -> Path:
        """The file of the secret that signs what clients bring back; all processes of an API share it."""
        return self.data_dir / "secret"

    @property
    def uploads(self) -> Path:
        """The folder of users' own data sets."""
        return self.data_dir / "uploads"


@cache
def settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
