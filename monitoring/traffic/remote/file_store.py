"""Files at any URL that fsspec has a driver for; each file is there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from monitoring.atomic import SUFFIX, sync
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.remote.urls import shown_url


class StoredFile(NamedTuple):
    """What a store says of a file without reading it."""

    size: int | None
    """In bytes; None if the driver does not know."""
    stamp: str
    """Changes when the file does: its ETag, generation or time of change; empty if the driver knows none."""


#: Where drivers keep a file's stamp; the first that is there counts.
_STAMPS = ("ETag", "etag", "generation", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created")

#: Object stores: a file that is written is there when all of it is, and to rename one copies it.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"})


class FileStore:
    """The files below `url`, by key: their path below it, with slashes. Credentials are found as fsspec's drivers do.

    Nothing is read yet.

    Raises:
        BadInput: no installed driver can open this URL.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415 - not needed where all files are on this machine

        self.url = url.rstrip("/")
        try:
            self._files, self._root = fsspec.url_to_fs(self.url)
        except OSError as error:  # HDFS' driver loads Hadoop's own library, and Java with it; others may connect
            is_hdfs = url.startswith(("hdfs:", "viewfs:"))
            hadoop = (
                "Install Hadoop, set HADOOP_HOME and CLASSPATH=$(hadoop classpath --glob), or copy the folder here."
            )
            raise BadInput(
                "The driver of this URL cannot open it.",
                got=f"{shown_url(url)}: {str(error).partition(chr(10))[0]}",
                expected="Hadoop's libhdfs and its Java classes on this machine" if is_hdfs else "a store that answers",
                fix=hadoop if is_hdfs else "Check host and port.",
            ) from error
        except (ImportError, ValueError) as error:
            # What is missing is named; other errors may quote the URL, with its secrets.
            reason = str(error) if isinstance(error, ImportError) else type(error).__name__
            raise BadInput(
                "No installed driver can open this URL.",
                got=f"{shown_url(url)}: {reason}",
                expected="a URL of a store whose fsspec driver is installed",
                fix="Check the URL, or install the driver: s3fs, gcsfs, adlfs.",
            ) from error
        self._root = self._root.rstrip("/")
        self._is_web = "http" in _protocols(self._files)
        self._writes_whole = not _OBJECT_STORES.isdisjoint(_protocols(self._files))

    def find(self, under: str = "") -> list[str]:
        """The keys below a folder; files that are being written are left out. Cost: one listing.

        Args:
            under: The folder; empty for all.

        Returns:
            The keys, sorted; none if there is no such folder.
        """
        return sorted(self.listing(under))

    def listing(self, under: str = "") -> dict[str, StoredFile]:
        """The files below a folder, as `find`, with what the store says of each. Cost: one listing.

        Args:
            under: The folder; empty for all.

        Returns:
            The files by key; empty if there is no such folder.
        """
        try:
            self._files.invalidate_cache()
            # By default the HTTP driver reports a server that does not answer as a folder without files.
            options = {"on_error": "raise"} if self._is_web else {}
            entries = self._files.find(self._path(under) if under else self._root, detail=True, **options)
        except FileNotFoundError:
            return {}
        except Exception as error:
            raise self._unreadable(under, error) from error
        named = ((self._key(path), described) for path, described in entries.items())
        return {key: _stored_file(described) for key, described in named if not key.endswith(SUFFIX)}

    def parquet(self, key: str, **options: Any) -> pq.ParquetFile:
        """Open a Parquet file."""
        try:
            files = pa.fs.PyFileSystem(pa.fs.FSSpecHandler(self._files))
            return pq.ParquetFile(self._path(key), filesystem=files, **options)
        except Exception as error:
            raise self._unreadable(key, error) from error

    def read(self, key: str) -> bytes:
        """Read a file. Returns its bytes.

        Raises:
            CannotRun: it cannot be read.
        """
        try:
            data: bytes = self._files.cat_file(self._path(key))
        except Exception as error:
            raise self._unreadable(key, error) from error
        return data

    def matching(self, pattern: str) -> list[str]:
        """The keys of the files that match a pattern.

        Args:
            pattern: With `*`, `?`, `[]` and `**`, below the store's URL.
        """
        try:
            self._files.invalidate_cache()
            paths = self._files.glob(f"{self._root}/{pattern}")
            return sorted(self._key(path) for path in paths if self._files.isfile(path))
        except Exception as error:
            raise self._unreadable(pattern, error) from error

    def stamp(self, key: str) -> str:
        """A text that changes when the file does."""
        try:
            self._files.invalidate_cache()
            if self._is_web:  # its driver looks at the URL alone; these are size, ETag and the like
                return str(sorted(self._files.info(self._path(key)).items(), key=str))
            return str(self._files.ukey(self._path(key)))
        except Exception as error:
            raise self._unreadable(key, error) from error

    def get(self, key: str, local: Path) -> None:
        """Copy a file to this machine."""
        try:
            self._files.get_file(self._path(key), str(local))
        except Exception as error:
            raise self._unreadable(key, error) from error

    def put(self, local: Path, key: str) -> None:
        """Copy a file of this machine to the store: to a temporary name that is renamed then, unless it writes whole.

        A file of this key and size that is there is taken for it.

        Raises:
            OSError: it could not be copied; drivers may raise other errors.
        """
        target, size = self._path(key), local.stat().st_size
        if self._size(target) == size:
            return
        if self._writes_whole:
            self._files.put_file(str(local), target)
        else:
            self._put_aside(local, target)
        if self._size(target) != size:
            raise OSError(f"{self.url}/{key} has another size than {local}")

    def _put_aside(self, local: Path, target: str) -> None:
        temporary = f"{target}.{os.getpid()}{SUFFIX}"
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(local), temporary)
        self._sync(temporary)
        try:
            self._files.mv(temporary, target)
        except NotImplementedError:  # a store without a rename stores a file whole
            self._files.put_file(str(local), target)
            self._files.rm_file(temporary)
        self._sync(target.rpartition("/")[0])

    def write(self, key: str, data: bytes) -> None:
        """Replace a file, by renaming a temporary one; a store that writes whole, or without renames, does not."""
        target = self._path(key)
        temporary = f"{target}.{os.getpid()}{SUFFIX}"
        try:
            if self._writes_whole:
                self._files.pipe_file(target, data)
                return
            self._files.pipe_file(temporary, data)
            self._sync(temporary)
            self._rename(temporary, target, data)
            self._sync(target.rpartition("/")[0])
        except Exception as error:
            raise self._failed("written", key, error) from error

    def _rename(self, temporary: str, target: str, data: bytes) -> None:
        try:
            self._files.mv(temporary, target)
        except NotImplementedError:
            self._files.pipe_file(target, data)
            self._files.rm_file(temporary)

    def _path(self, key: str) -> str:
        """The driver's path of a key. In HTTP URLs, and in the links of pages, names are percent-encoded."""
        return f"{self._root}/{quote(key) if self._is_web else key}"

    def _key(self, path: str) -> str:
        key = path.removeprefix(self._root).lstrip("/")
        return unquote(key) if self._is_web else key

    def _size(self, path: str) -> int | None:
        try:
            self._files.invalidate_cache()
            size: int | None = self._files.info(path)["size"]
        except FileNotFoundError:
            return None
        return size

    def _sync(self, path: str) -> None:
        """Make a local file or folder survive a power cut; other stores do so themselves."""
        if "file" in _protocols(self._files):
            sync(Path(path))

    def _unreadable(self, key: str, error: Exception) -> CannotRun:
        return self._failed("read", key, error)

    def _failed(self, what: str, key: str, error: Exception) -> CannotRun:
        reason = (str(error).partition("\n")[0] or type(error).__name__).replace(self.url, shown_url(self.url))
        return CannotRun(
            f"The file store cannot be {what}.",
            got=f"{shown_url(self.url)}/{key}".rstrip("/") + f": {reason}",
            expected=f"a store that can be reached and {what}",
            fix="Check the network and the credentials, then run the same command again.",
        )


def _stored_file(described: dict[str, Any]) -> StoredFile:
    stamp = next((str(described[name]) for name in _STAMPS if described.get(name)), "")
    return StoredFile(size=described.get("size"), stamp=stamp)


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
