"""Files at any URL that fsspec has a driver for; each file is there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from monitoring.errors import BadInput, CannotRun

ASIDE_SUFFIX = ".tmp"


def is_url(text: str) -> bool:
    """Whether a place is a URL, and no path of this machine.

    >>> is_url("s3://bucket/traffic"), is_url("traffic/"), is_url("C:/traffic")
    (True, False, False)
    """
    return "://" in text


class FileStore:
    """The files below `url`, by key: their path below it, with slashes. Credentials are found as fsspec's drivers do.

    Raises BadInput for a URL that no driver of this installation is for. Nothing is looked at yet.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415 - whoever keeps all files on this machine need not load it

        self.url = url.rstrip("/")
        try:
            self._files, self._root = fsspec.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise BadInput(
                "Nothing here can open this URL.",
                got=f"{url}: {error}",
                expected="a URL of a store whose fsspec driver is installed, such as s3://BUCKET/traffic",
                fix="Check the URL, or install the driver: s3fs, gcsfs, adlfs.",
            ) from error
        self._root = self._root.rstrip("/")
        self._is_web = "http" in _protocols(self._files)

    def find(self, under: str = "") -> list[str]:
        """The keys below a folder, sorted; none if there is no such folder. Files still being made are left out.

        Raises CannotRun if the store cannot be asked. Cost: one listing.
        """
        try:
            self._files.invalidate_cache()
            # The web's driver takes a server that does not answer for a folder without files, unless told otherwise.
            told = {"on_error": "raise"} if self._is_web else {}
            found = self._files.find(self._place(under) if under else self._root, **told)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise self._unreadable(under, error) from error
        keys = map(self._key, found)
        return sorted(key for key in keys if not key.endswith(ASIDE_SUFFIX))

    def parquet(self, key: str) -> pq.ParquetFile:
        """A Parquet file, open. Raises CannotRun if it cannot be read."""
        try:
            files = pa.fs.PyFileSystem(pa.fs.FSSpecHandler(self._files))
            return pq.ParquetFile(self._place(key), filesystem=files)
        except Exception as error:
            raise self._unreadable(key, error) from error

    def read(self, key: str) -> bytes:
        """A file's bytes. Raises CannotRun if it cannot be read."""
        try:
            data: bytes = self._files.cat_file(self._place(key))
        except Exception as error:
            raise self._unreadable(key, error) from error
        return data

    def matching(self, pattern: str) -> list[str]:
        """The keys of the files that fit a pattern, sorted. Raises CannotRun if the store cannot be asked."""
        try:
            self._files.invalidate_cache()
            found = self._files.glob(f"{self._root}/{pattern}")
            return sorted(self._key(path) for path in found if self._files.isfile(path))
        except Exception as error:
            raise self._unreadable(pattern, error) from error

    def stamp(self, key: str) -> str:
        """Something that is another when the file has changed. Raises CannotRun if the store cannot be asked."""
        try:
            self._files.invalidate_cache()
            if self._is_web:  # whose driver goes by the URL alone; size, and what the server says of the content
                return str(sorted(self._files.info(self._place(key)).items(), key=str))
            return str(self._files.ukey(self._place(key)))
        except Exception as error:
            raise self._unreadable(key, error) from error

    def get(self, key: str, local: Path) -> None:
        """Copies a file to this machine. Raises CannotRun if it cannot be read."""
        try:
            self._files.get_file(self._place(key), str(local))
        except Exception as error:
            raise self._unreadable(key, error) from error

    def put(self, local: Path, key: str) -> None:
        """Copies a file of this machine there, aside and then into place; one of its size there is taken for it.

        Raises whatever the store's driver does, mostly OSError.
        """
        target, size = self._place(key), local.stat().st_size
        if self._size(target) == size:
            return
        aside = f"{target}.{os.getpid()}{ASIDE_SUFFIX}"
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(local), aside)
        self._sync(aside)
        try:
            self._files.mv(aside, target)
        except NotImplementedError:  # a store without a rename takes a file whole
            self._files.put_file(str(local), target)
            self._files.rm_file(aside)
        self._sync(target.rpartition("/")[0])
        if self._size(target) != size:
            raise OSError(f"{self.url}/{key} has another size than {local}")

    def _place(self, key: str) -> str:
        """What the driver calls a key. In the web's URLs, and in the links of its pages, names are percent-encoded."""
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
        """What this machine's own disk is given must survive a power cut; other stores see to it themselves."""
        if "file" not in _protocols(self._files):
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _unreadable(self, key: str, error: Exception) -> CannotRun:
        reason = str(error).partition("\n")[0] or type(error).__name__
        return CannotRun(
            "A store cannot be read.",
            got=f"{self.url}/{key}".rstrip("/") + f": {reason}",
            expected="a store that is there and may be read",
            fix="Check the network and the credentials, then run the same again.",
        )


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
