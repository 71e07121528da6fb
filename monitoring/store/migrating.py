"""At which revision a store is, without changing it."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from monitoring.store.opening import open_unmigrated, reject_store, shown_url


def store_revision(url: str) -> tuple[str, str]:
    """The revision of a store, and that of this release.

    Raises:
        BadInput: There is no store.
        CannotRun: It cannot be used, or was written by a newer release.
    """
    from monitoring.store import migrations  # noqa: PLC0415  # brings Alembic

    engine = open_unmigrated(url)
    try:
        with engine.begin() as connection:
            migrations.is_current(connection)
            return migrations.revision_of(connection) or "", migrations.latest()
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        reject_store(error, shown_url(engine.url), "Correct the [store] url in monitor.toml.")
    finally:
        engine.dispose()
