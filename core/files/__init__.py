"""Files that API and workers share: in a folder that all of them see, or in S3-compatible object storage."""

from core.files.choice import file_store, upload_place
from core.files.file_store import FileStore, FilesUnavailable, StoredFile
from core.files.folder import FolderStore
from core.files.s3 import S3Store

__all__ = ["FileStore", "FilesUnavailable", "FolderStore", "S3Store", "StoredFile", "file_store", "upload_place"]
