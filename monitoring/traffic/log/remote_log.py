"""A traffic log at a URL, read as a local log whose archive is at that URL."""

from __future__ import annotations

from pathlib import Path

from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE, GAPS, LABELS, MODEL_PREFIX, OPEN
from monitoring.traffic.log.listing import write_archive
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.local_cache import LOCAL_CACHE
from monitoring.traffic.remote.urls import is_url, shown_url


def log_folder(place: Path | str) -> Path:
    """A local folder through which a traffic log is read.

    Args:
        place: A folder, which is returned as it is; or a URL. Of a log at a URL, labels, gaps and open segments are
            copied at every call; parts are read where they are.
    """
    text = str(place)
    if not is_url(text):
        return Path(place)
    store = FileStore(text)
    keys = store.find()
    tops = {key.partition("/")[0] for key in keys}
    if ARCHIVE in tops or not any(top in (OPEN, LABELS) or top.startswith(MODEL_PREFIX) for top in tops):
        raise BadInput(
            "There is no traffic log at this URL.",
            got=f"{shown_url(text)} with {', '.join(sorted(tops)[:3]) or 'no files'}",
            expected=f"{OPEN}/, {LABELS}/ or model=NAME/ in it, and no {ARCHIVE}",
            fix=f"Check the URL; a log with {ARCHIVE} is read where its server writes it.",
        )
    folder = LOCAL_CACHE.folder(text)
    wanted = {key for key in keys if key.partition("/")[0] in (OPEN, LABELS, GAPS)}
    for path in [each for each in folder.rglob("*") if each.is_file()]:
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    (folder / OPEN).mkdir(exist_ok=True)
    for key in sorted(wanted):
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(store.read(key))
    write_archive(folder, store)
    return folder
