"""The file store of the settings."""

from pathlib import Path
from urllib.parse import urlsplit

from core.files.cache import FileCache
from core.files.file_store import FileStore
from core.files.folder import FolderStore
from core.files.s3 import S3Address, S3Store
from core.settings import Settings


def file_store(settings: Settings) -> FileStore:
    """Return the store of uploads, checkpoints and weights: the data directory, or that of `INITLAB_FILES_URL`."""
    if not settings.files_url:
        return FolderStore(settings.data_dir)
    url = urlsplit(settings.files_url)
    address = S3Address(
        bucket=url.netloc,
        endpoint=settings.files_endpoint,
        region=settings.aws_region,
        access_key_id=settings.aws_access_key_id,
        secret_access_key=settings.aws_secret_access_key.get_secret_value(),
        session_token=settings.aws_session_token.get_secret_value(),
    )
    return S3Store(address, url.path.strip("/"), FileCache(settings.cache / "files", settings.files_cache_bytes))


def upload_place(settings: Settings) -> Path | FileStore:
    """Return where users' data sets are: a folder of their own, or that store."""
    return file_store(settings).below("uploads") if settings.files_url else settings.uploads
