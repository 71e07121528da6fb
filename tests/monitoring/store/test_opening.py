from __future__ import annotations

import gc
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from monitoring.errors import CannotRun
from monitoring.store import DeploymentRecord, Store, migrations, opening
from monitoring.store.migrations import REVISION_TABLE
from monitoring.store.opening import open_engine
from monitoring.store.tables import metadata


def test_a_new_store_is_made_with_its_folder(tmp_path: Path, deployment_record: DeploymentRecord) -> None:
    url = f"sqlite:///{tmp_path}/where/pitfalls.db"
    with Store.open(url) as store:
        number = store.find_or_create(deployment_record)
    with Store.open(url) as again:
        assert again.deployments.read(number) == deployment_record


def test_no_empty_store_takes_the_place_of_one_whose_folders_are_away(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"folder cannot be created.*make the folder"):
        open_engine(f"sqlite:///{tmp_path}/away/m1/pitfalls.db")
    assert not list(tmp_path.iterdir())


def test_a_new_store_has_the_tables_of_this_code_and_its_revision_is_alembic_s_last(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_heads() == (migrations.latest(),)
    engine.dispose()
    script = ScriptDirectory(Path(migrations.__file__).parent)
    assert [one.revision for one in script.walk_revisions()][::-1] == migrations.REVISIONS


def test_a_new_store_that_another_process_reads_is_given_its_log_once_that_one_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, waits = tmp_path / "pitfalls.db", []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE held (number INTEGER)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM held").fetchall()

        def let_go(seconds: float) -> None:
            waits.append(seconds)
            other.execute("COMMIT")

        monkeypatch.setattr("monitoring.store.opening.time.sleep", let_go)
        engine = open_engine(f"sqlite:///{path}?timeout=0")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        engine.dispose()
    assert len(waits) == 1


def test_sqlite_is_set_up_for_readers_beside_a_writer_and_checks_keys(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    engine.dispose()


def test_a_timeout_in_the_url_is_the_user_s(url: str) -> None:
    engine = open_engine(url + "?timeout=2")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 2_000
    engine.dispose()


def test_a_store_of_a_newer_release_is_left_alone(url: str, tmp_path: Path) -> None:
    Store.open(url).close()
    with closing(sqlite3.connect(tmp_path / "pitfalls.db")) as connection:
        connection.execute(f"UPDATE {REVISION_TABLE} SET version_num = '9999'")  # noqa: S608 (a constant)
        connection.commit()
    with pytest.raises(CannotRun, match=r"newer release\. Got revision 9999; expected \d{4} or earlier"):
        Store.open(url)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pitfalls.db"
    path.write_bytes(b"a diary, not a database. " * 100)
    with pytest.raises(CannotRun, match="not a database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes() == b"a diary, not a database. " * 100


def test_a_database_with_tables_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pitfalls.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE incident (what TEXT)")
        connection.commit()
    with pytest.raises(CannotRun, match="incident already exists"):
        Store.open(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("incident",)]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(CannotRun, match=r"folder cannot be created.*file"):
        Store.open(f"sqlite:///{tmp_path}/file/pitfalls.db")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="unable to open database file"):
        Store.open(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ("nonsense", "Not the URL of a store"),
        ("", "Not the URL of a store"),
        ("sqlite://", "in-memory store"),
        ("sqlite:///:memory:", "in-memory store"),
        ("oracel://me:secret@host/db", r"driver psycopg or pg8000. Got oracel://me:\*\*\*@host/db"),
        ("sqlite+nothing:///x.db", "driver psycopg or pg8000"),
        ("postgresql+asyncpg://me:secret@host/db", "driver psycopg or pg8000"),
        ("postgresql+psycopg2://me:secret@host/db", "driver psycopg or pg8000"),
    ],
)
def test_a_url_that_names_no_store_is_refused_without_its_password(wrong: str, part: str) -> None:
    with pytest.raises(CannotRun, match=part) as caught:
        Store.open(wrong)
    assert "secret" not in str(caught.value)


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CannotRun, match=r"No driver for this store.*psycopg") as caught:
        Store.open("postgresql+psycopg://me:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_refused_without_its_password() -> None:
    pytest.importorskip("pg8000")
    with pytest.raises(CannotRun, match="cannot be used") as caught:
        Store.open("postgresql+pg8000://me:secret@127.0.0.1:1/pitfalls")
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_processes_that_open_a_new_store_at_once_all_succeed(url: str) -> None:
    program = (
        "import sys; from monitoring.store import Store; import monitoring.store.migrations\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        f"Store.open({url!r}).close()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert [(process.returncode, error) for process, error in zip(processes, errors, strict=True)] == [(0, "")] * 4


def test_making_and_opening_a_store_loads_no_alembic(url: str) -> None:
    probe = (
        f"import sys; from monitoring.store import Store; [Store.open({url!r}).close() for _ in range(2)]; "
        "print({'alembic', 'tensorflow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


#: The user who owns nothing, by custom.
NOBODY = 65_534


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder that another user can reach, as pytest's own is not."""
    with TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def of_another_user(folder: Path) -> Iterator[None]:
    """As a user who may read what is in the folder, and write nothing there."""
    parts = [folder, *folder.iterdir()]
    for path in parts:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    try:
        if root:
            try:
                os.seteuid(NOBODY)
            except OSError:
                pytest.skip("there is no other user to be")
        if not all(os.access(path, os.R_OK, effective_ids=True) for path in (folder, Path(migrations.__file__))):
            pytest.skip("the checkout, or the folder for temporary files, is closed to other users")
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.parametrize("writer", [False, True], ids=["closed", "open beside it"])
def test_a_store_that_may_not_be_written_is_read(
    shelf: Path, deployment_record: DeploymentRecord, writer: bool
) -> None:
    url = f"sqlite:///{shelf}/pitfalls.db"
    with ExitStack() as still:
        store = still.enter_context(Store.open(url))
        number = store.find_or_create(deployment_record)
        if not writer:
            still.close()
        with of_another_user(shelf), Store.open(url, make=False) as seen:
            assert seen.deployments.read(number) == deployment_record
            with pytest.raises(CannotRun, match=rf"{url} \(.*readonly"):
                seen.find_or_create(replace(deployment_record, version=99))


def test_a_store_of_an_earlier_release_that_may_not_be_written_is_one_clear_message(shelf: Path) -> None:
    url = f"sqlite:///{shelf}/pitfalls.db"
    with closing(sqlite3.connect(shelf / "pitfalls.db")) as connection:
        connection.execute("CREATE TABLE pitfalls_revision (version_num VARCHAR(32))")
        connection.execute("INSERT INTO pitfalls_revision VALUES ('0007')")
        connection.commit()
    with of_another_user(shelf), pytest.raises(CannotRun, match="of an earlier release, and looking at it does not"):
        Store.open(url, make=False)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_never_answers_is_away_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_ANSWER_SECONDS", 0.3)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        with pytest.raises(CannotRun) as caught:
            open_engine(f"postgresql+pg8000://u:secret@127.0.0.1:{server.getsockname()[1]}/x")
        said = str(caught.value)
    assert said.startswith("The store cannot be used.")
    assert "secret" not in said
    del caught
    gc.collect()  # the driver leaves its socket to the collector


def test_both_drivers_of_postgresql_are_told_how_long_to_wait() -> None:
    waits = {
        name: opening._connect_args(make_url(f"postgresql+{name}://u@h/x"), 30.0) for name in ("pg8000", "psycopg")
    }
    assert waits["pg8000"] == {"timeout": 30.0}
    assert waits["psycopg"]["options"] == "-c statement_timeout=30000 -c extra_float_digits=1"


def test_new_stores_may_be_opened_in_several_threads_at_once(tmp_path: Path) -> None:
    def opened(number: int) -> int:
        with Store.open(f"sqlite:///{tmp_path / str(number)}.db") as store:
            return len(store.deployments.all())

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(opened, range(4))) == [0] * 4


def test_a_statement_is_compiled_once_for_all_sqlite_stores_of_a_process(tmp_path: Path) -> None:
    compiled = []
    for number in range(3):
        with Store.open(f"sqlite:///{tmp_path / str(number)}.db") as store:
            store.deployments.all()
            store.windows.last(1)
        compiled.append(len(opening._COMPILED))
    assert compiled[0] == compiled[1] == compiled[2] > 0
