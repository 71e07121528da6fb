"""A traffic log that lies at a URL as a whole, read as one of this machine whose archive is there."""

from __future__ import annotations

from pathlib import Path

from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE, GAPS, LABELS, MODEL_PREFIX, OPEN
from monitoring.traffic.log.listing import name_archive
from monitoring.traffic.remote.file_store import FileStore, is_url
from monitoring.traffic.remote.local_cache import COPIES


def log_folder(place: Path | str) -> Path:
    """The folder to read a traffic log by: itself, or for a URL a folder of this process's.

    Labels, gaps and open segments are copied into that, anew with every call; parts are read where they are. Raises
    BadInput if no log is there, CannotRun if the store cannot be read.
    """
    text = str(place)
    if not is_url(text):
        return Path(place)
    store = FileStore(text)
    keys = store.find()
    tops = {key.partition("/")[0] for key in keys}
    if ARCHIVE in tops or not any(top in (OPEN, LABELS) or top.startswith(MODEL_PREFIX) for top in tops):
        raise BadInput(
            "There is no traffic log that can be read at this URL.",
            got=f"{text} with {', '.join(sorted(tops)[:3]) or 'nothing in it'}",
            expected=f"{OPEN}/, {LABELS}/ or model=NAME/ in it, and no {ARCHIVE}",
            fix=f"Check the URL; a log with {ARCHIVE} is read where its server writes it.",
        )
    folder = COPIES.folder(text)
    wanted = {key for key in keys if key.partition("/")[0] in (OPEN, LABELS, GAPS)}
    for path in [each for each in folder.rglob("*") if each.is_file()]:
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    (folder / OPEN).mkdir(exist_ok=True)
    for key in sorted(wanted):
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(store.read(key))
    name_archive(folder, store)
    return folder
