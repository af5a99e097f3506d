"""The refusal of a service that other machines could reach and that no API keys protect."""

from ipaddress import ip_address

from sqlalchemy import exists, select

from core.errors import InitlabError
from core.settings import Settings
from core.store import ApiKey, Database


class Unprotected(InitlabError):
    """The address can be reached from other machines, and no API keys protect it."""


def is_loopback(name: str) -> bool:
    """Return True for the name or address of something that only this machine can reach."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def refuse_without_keys(host: str, settings: Settings) -> None:
    """Raise `Unprotected` for an address other than loopback while there are neither keys nor users.

    Needs the database's tables.
    """
    if not (is_loopback(host.strip("[]")) or is_protected(settings)):
        raise Unprotected(
            f"{host} can be reached from other machines, and no API keys are configured: make one with "
            "`initlab keys create --id NAME`"
        )


def is_protected(settings: Settings) -> bool:
    """Return whether there are keys or users. Needs the database's tables."""
    return bool(settings.api_keys_file or settings.has_users) or _has_keys(settings)


def _has_keys(settings: Settings) -> bool:
    database = Database(settings.database, pool_size=1)
    try:
        with database.reading() as session:
            return bool(session.scalar(select(exists().select_from(ApiKey))))
    finally:
        database.dispose()
