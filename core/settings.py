"""The service's settings, from the environment or `.env`. Nothing else in the service reads the environment."""

import os
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ScopeName = Literal["read", "submit", "admin"]
HEADER = r"^[A-Za-z0-9-]*$"


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """The service's settings, each with a default that runs on a bare machine."""

    model_config = SettingsConfigDict(
        env_prefix="INITLAB_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Path = Path("var")
    """Database, queue files and data sets of the embedded service."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in the data directory."""
    sqlite_on_network: bool = False
    """SQLite may lie on a network file system."""
    broker_url: str = ""
    """Celery broker URL; empty: the filesystem broker in the data directory."""
    data_root: Path | None = None
    """The folder of torchvision's data sets; none: `<data_dir>/datasets`."""
    api_keys_file: Path | None = None
    """Hashed API keys, one a line; none: loopback only."""
    cache_dir: Path = Path("~/.cache/initlab")
    """The folder of what can be made again: the profiles of machines."""
    files_url: Annotated[str, Field(pattern=r"^(s3://[a-z0-9][a-z0-9.-]+(/[^?#]*)?)?$")] = ""
    """Where uploads, checkpoints and weights are: s3://BUCKET/PREFIX; empty: in the data directory, which all share."""
    files_endpoint: Annotated[
        str,
        Field(
            pattern=r"^(https?://[^/?#]+/?)?$",
            validation_alias=AliasChoices("INITLAB_FILES_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        ),
    ] = ""
    """The URL of the S3 server; empty: AWS's."""
    files_cache_bytes: Annotated[int, Field(gt=0)] = 20 * 2**30
    """Those of copies of S3's files in `cache_dir`, of all processes of this machine together."""
    files_check: Literal["refuse", "warn"] = "refuse"
    """A worker that sees other files than the API does not start, or only says so."""
    aws_access_key_id: Annotated[str, Field(validation_alias="AWS_ACCESS_KEY_ID")] = ""
    """The key of `files_url`; empty: as programs on AWS find theirs (the role of a pod or a machine)."""
    aws_secret_access_key: Annotated[SecretStr, Field(validation_alias="AWS_SECRET_ACCESS_KEY")] = SecretStr("")
    """That key's secret."""
    aws_session_token: Annotated[SecretStr, Field(validation_alias="AWS_SESSION_TOKEN")] = SecretStr("")
    """Of a key that is lent for a time."""
    aws_region: Annotated[str, Field(validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"))] = ""
    """The region of the bucket; empty: us-east-1, which other servers than AWS's do not mind."""
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
    """Days after its end at which an experiment is deleted whose project says no other number; none: never."""
    max_runs: Annotated[int, Field(ge=0)] | None = None
    """Stored ones of each API key or user whose own quota says no number; None: no quota."""
    max_points: Annotated[int, Field(ge=0)] | None = None
    """Those that these runs may have; None: no quota."""
    max_bytes: Annotated[int, Field(ge=0)] | None = None
    """Those of the data sets of each API key or user, likewise; None: no quota."""
    public_url: Annotated[str, Field(pattern=r"^(https?://[^/?#]+/?)?$")] = ""
    """The address that browsers know the service by, such as https://lab.example; empty: the one they ask for."""
    session_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 12.0
    """Hours after which a browser has to sign in again."""
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Addresses and networks, with commas, of the proxies in front of the API; none: this machine's, for addresses."""
    user_header: Annotated[str, Field(pattern=HEADER)] = ""
    """The header in which these proxies name the user, such as X-Forwarded-User; empty: users come with keys."""
    groups_header: Annotated[str, Field(pattern=HEADER)] = ""
    """The header in which these proxies name the user's groups, with commas; empty: none."""
    user_scope: ScopeName | None = None
    """The scope of users whose groups have none in `group_scopes`; none: they may not come in."""
    group_scopes: dict[str, ScopeName] = {}
    """The scopes of groups of users, as JSON: {"lab-admins": "admin", "lab": "submit"}; the highest counts."""
    oidc_issuer: Annotated[str, Field(pattern=r"^(https://[^?#]+|http://(127\.0\.0\.1|localhost|\[::1\])[^?#]*)?$")] = (
        ""
    )
    """The URL of an OpenID Connect provider where users sign in; empty: none. Needs `public_url`."""
    oidc_client_id: str = ""
    """The name by which the provider knows this service."""
    oidc_client_secret: SecretStr | None = None
    """None: the provider knows this service as a public client."""
    oidc_scopes: str = "openid profile email"
    """The scopes that the provider is asked for, with spaces."""
    oidc_user_claim: str = "sub"
    """The claim by which a user is known here: one that the provider never gives to somebody else."""
    oidc_groups_claim: str = "groups"
    """The claim with the list of the user's groups."""
    check_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Seconds of one core that the checks of a spec may take, as estimated; more is refused before any is done."""
    preview_seconds: Annotated[float, Field(gt=0)] = 5.0
    """Seconds of one core that a preview may take, likewise."""
    webhook_private_targets: bool = False
    """Webhooks may be sent to addresses inside of a network, and without TLS."""
    log_format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line for programs."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    """The least that is logged of what the service itself says."""
    plugins: Path | None = None
    """The folder of plug-ins that are no installed packages: files and packages of Python; none: there is none."""
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

    @model_validator(mode="after")
    def _users_can_come(self) -> Self:
        """Refuse what would let everybody in, or nobody."""
        if self.user_header and not self.trusted_proxies:
            raise ValueError("INITLAB_USER_HEADER needs INITLAB_TRUSTED_PROXIES: who else may name a user?")
        if self.groups_header and not self.user_header:
            raise ValueError("INITLAB_GROUPS_HEADER needs INITLAB_USER_HEADER")
        if self.oidc_issuer and not (self.oidc_client_id and self.public_url):
            raise ValueError("INITLAB_OIDC_ISSUER needs INITLAB_OIDC_CLIENT_ID and INITLAB_PUBLIC_URL")
        if self.has_users and self.user_scope is None and not self.group_scopes:
            raise ValueError("no user could come in: give INITLAB_USER_SCOPE or INITLAB_GROUP_SCOPES")
        return self

    @property
    def has_users(self) -> bool:
        """True where somebody may come without an API key, vouched for by a proxy or a provider."""
        return bool(self.user_header or self.oidc_issuer)

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
        """The file of the secret that signs what clients bring back, or this machine's copy of the file store's."""
        if not self.files_url:
            return self.data_dir / "secret"
        store = blake2b(f"{self.files_endpoint} {self.files_url}".encode(), digest_size=8).hexdigest()
        return self.data_dir / f"secret-{store}"

    @property
    def uploads(self) -> Path:
        """The folder of users' own data sets."""
        return self.data_dir / "uploads"


@cache
def settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
