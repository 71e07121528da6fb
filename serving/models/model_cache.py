"""Models at URLs: the versions that are wanted are copied to a cache on this machine, and served from there.

The versions of one model are in a folder of their own, ``CACHE/NAME-HASH``. Version N is a symbolic link ``N`` to the
hidden folder ``.N-STAMP``, whose name has a hash of the names, sizes and stamps (ETags, times of change) of its files
at the URL. So a version is there whole or not at all, its link says of which files it is a copy, and files that change
at the URL are copied anew. Processes that share the cache take turns by a lock; what one has copied, the others find.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import final

from monitoring.atomic import publish, staging_folder, sync_folder
from monitoring.errors import CannotRun
from monitoring.traffic.remote.file_store import FileStore, StoredFile
from monitoring.traffic.remote.urls import shown_url
from serving.models.version_folders import LARGEST_VERSION, ModelSource, find_versions

LOCK = ".lock"
NEW_LINK = ".link"
STAGING = ".copy-"
#: A version without one of these is not complete yet: programs that export write them last.
GRAPHS = ("saved_model.pb", "saved_model.pbtxt")
_NAME_CHARACTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCacheSettings:
    """Where copies of models at URLs are kept, and how often the URLs are listed."""

    folder: Path
    limit_bytes: int = 20_000_000_000
    """Of all versions in the folder together; a version that does not fit is not copied."""
    poll_s: float = 30.0
    """Seconds between two listings of a URL, which object stores charge for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteVersion:
    """A version of a model as its store lists it."""

    folder: str
    """Its name at the URL: the number, perhaps with zeros before it."""
    files: Mapping[str, StoredFile]
    """By path below that folder."""

    @property
    def bytes(self) -> int:
        """The size of its files, as far as the store knows it."""
        return sum(file.size or 0 for file in self.files.values())

    @property
    def copy_name(self) -> str:
        """The hidden folder of its copy."""
        listed = "".join(f"{path}\0{file.size}\0{file.stamp}\n" for path, file in sorted(self.files.items()))
        return f".{self.folder}-{hashlib.sha256(listed.encode()).hexdigest()[:16]}"


def model_at(url: str, *, name: str, labels: Mapping[str, int] | None = None) -> ModelSource:
    """The model whose versions are at a URL. Its ``base`` is a name in the cache, which `ModelCache.local` completes.

    >>> model_at("s3://bucket/models/flights/", name="f").base.name
    'flights-a1a60b59c8fe'
    """
    folder = re.sub(r"[^A-Za-z0-9_-]", "-", PurePosixPath(shown_url(url.rstrip("/"))).name)[:_NAME_CHARACTERS]
    base = Path(f"{folder}-{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:12]}")
    return ModelSource(name=name, base=base, url=url, labels=labels or {})


def remote_versions(files: Mapping[str, StoredFile]) -> dict[int, RemoteVersion]:
    """The complete versions among the files of a model.

    Returns:
        By number, those with a graph. Files whose key leads out of their folder are left out.
    """
    grouped: dict[str, dict[str, StoredFile]] = {}
    for key, file in files.items():
        folder, _, path = key.partition("/")
        if folder.isascii() and folder.isdecimal() and int(folder) <= LARGEST_VERSION and _is_inside(path):
            grouped.setdefault(folder, {})[path] = file
    return {
        int(folder): RemoteVersion(folder=folder, files=files)
        for folder, files in sorted(grouped.items())
        if any(name in files for name in GRAPHS)
    }


@final
class ModelCache:
    """Copies of the versions of models at URLs. For one thread. `clock`: seconds that only grow."""

    def __init__(
        self,
        settings: ModelCacheSettings,
        *,
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._report = report
        self._clock = clock
        self._listed_at: dict[str, float] = {}
        self._errors: dict[str, str] = {}

    def local(self, source: ModelSource) -> ModelSource:
        """The model with the folder of its copies, after its versions were copied if it is time to. Blocks meanwhile.

        The versions that its policy wants are copied, and copies that nobody needs are deleted: of versions that are
        deleted at the URL, and of those that are no longer wanted but the newest, so that a way back costs no copy. An
        error is reported, and what is in the cache stays: a server goes on, or starts, without its store.
        """
        if not source.url:
            return source
        source = replace(source, base=self._settings.folder / source.base)
        now = self._clock()
        if now - self._listed_at.get(source.url, -math.inf) >= self._settings.poll_s:
            self._listed_at[source.url] = now
            self._try_to_update(source)
        return source

    def _try_to_update(self, source: ModelSource) -> None:
        try:
            self._update(source, FileStore(source.url))
        except (CannotRun, OSError) as error:
            self._report_once(source.url, str(error))
        else:
            self._errors.pop(source.url, None)

    def _update(self, source: ModelSource, store: FileStore) -> None:
        versions = remote_versions(store.listing())
        if not versions and not source.base.is_dir():
            return
        source.base.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _exclusive(source.base):
            wanted = source.policy.choose(list(versions))
            for number in wanted:
                self._copy(store, versions[number], source)
            _delete_unneeded(
                source.base, wanted=set(wanted), existing={version.folder for version in versions.values()}
            )
        if not versions:
            shutil.rmtree(source.base, ignore_errors=True)

    def _copy(self, store: FileStore, version: RemoteVersion, source: ModelSource) -> None:
        link = source.base / version.folder
        if link.is_symlink() and link.readlink().name == version.copy_name:
            return
        self._check_room(version, source)
        size = f": {version.bytes:,} bytes" if version.bytes else ""
        self._report(f"Copying version {version.folder} of {source.name} from {source.place}{size}.")
        copy = source.base / version.copy_name
        if not copy.is_dir():  # it is there, and whole, if the process was killed before it made the link
            with staging_folder(source.base, STAGING) as contents:
                for path in version.files:
                    target = contents / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    store.get(f"{version.folder}/{path}", target)
                self._verify(store, version, source, contents)
                publish(contents, copy)
        new = source.base / NEW_LINK
        new.unlink(missing_ok=True)
        new.symlink_to(copy.name)
        new.rename(link)
        sync_folder(source.base)

    def _check_room(self, version: RemoteVersion, source: ModelSource) -> None:
        """Refuse a version that does not fit the cache."""
        others = sum(path.stat().st_size for path in self._settings.folder.rglob("*") if path.is_file())
        if others + version.bytes > self._settings.limit_bytes:
            raise CannotRun(
                "A version of a model does not fit the cache.",
                got=f"version {version.folder} of {source.name} with {version.bytes:,} bytes, and {others:,} there",
                expected=f"at most {self._settings.limit_bytes:,} bytes in {self._settings.folder}",
                fix="Raise --model-cache-gb, or delete folders of models that are not served any more.",
            )

    @staticmethod
    def _verify(store: FileStore, version: RemoteVersion, source: ModelSource, contents: Path) -> None:
        """Refuse a copy whose files have other sizes than listed, or that changed at the URL meanwhile."""
        after = remote_versions({f"{version.folder}/{k}": v for k, v in _below(store, version.folder).items()})
        wrong = [
            path
            for path, file in version.files.items()
            if file.size is not None and (contents / path).stat().st_size != file.size
        ]
        same = after.get(int(version.folder))
        if wrong or same is None or same.copy_name != version.copy_name:
            raise CannotRun(
                "A version of a model changed while it was copied.",
                got=f"version {version.folder} of {source.name}: {', '.join(wrong[:3]) or 'other files than before'}",
                expected="files that stay as they are",
                fix="Nothing, if an upload is under way: it is copied at the next check.",
            )

    def _report_once(self, url: str, text: str) -> None:
        if self._errors.get(url) != text:
            self._errors[url] = text
            self._report(f"{shown_url(url)} cannot be copied; versions that are in the cache are served. {text}")


def _below(store: FileStore, folder: str) -> dict[str, StoredFile]:
    return {key.removeprefix(f"{folder}/"): file for key, file in store.listing(folder).items()}


def _is_inside(path: str) -> bool:
    return bool(path) and not any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in path.split("/"))


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """While the block runs, no other process changes a model's copies."""
    with (folder / LOCK).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _delete_unneeded(base: Path, *, wanted: set[int], existing: set[str]) -> None:
    """Delete copies of versions that the URL no longer has, of older files, and of unwanted versions but the newest."""
    here = {number: path for number, path in find_versions(base).items() if path.is_symlink()}
    unwanted = sorted(number for number, path in here.items() if number not in wanted and path.name in existing)
    needed = wanted | set(unwanted[-1:])
    for number, path in here.items():
        if number not in needed:
            path.unlink()
    links = (path for path in base.iterdir() if path.is_symlink())
    copies = {link.readlink().name for link in links}
    for path in base.iterdir():
        if path.is_dir() and not path.is_symlink() and re.match(r"\.\d", path.name) and path.name not in copies:
            shutil.rmtree(path, ignore_errors=True)
