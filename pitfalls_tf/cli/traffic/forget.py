"""``pitfalls traffic forget``: erase the rows of some predictions wherever they are kept, with a receipt."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.config import load_config
from monitoring.erasure.erase import ErasureRequest, Waiting, erase, plan_erasure
from monitoring.erasure.wanted_rows import ColumnValue
from monitoring.errors import BadInput
from monitoring.traffic.remote.urls import is_url, shown_url
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.monitor.incidents import login_name
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitoring.erasure.change import ErasedRows
    from monitoring.erasure.receipt import Receipt
    from pitfalls_tf.cli.output import Output


@click.command()
@click.argument("place", metavar="DIR")
@click.argument("ids", nargs=-1)
@click.option("--from-file", metavar="FILE", type=click.Path(path_type=Path), help="More ids, one a line.")
@click.option("--where", metavar="COLUMN=VALUE", help="Instead of ids: all rows with this value in this column.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Erase them from the store and the rollouts of this monitor.toml, too.",
)
@click.option(
    "--also",
    metavar="TABLE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A Parquet, CSV, JSON lines or .tfrecord file made of the traffic.",
)
@click.option("--dry-run", is_flag=True, help="Count the rows, and change nothing.")
@click.option("--by", metavar="NAME", help="Who asks for it.  [default: the login name]")
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=90.0,
    show_default=True,
    help="How long to wait for running servers to close their segments.",
)
@with_output
def command(
    place: str,
    ids: tuple[str, ...],
    from_file: Path | None,
    where: str | None,
    config: Path | None,
    also: tuple[Path, ...],
    *,
    dry_run: bool,
    by: str | None,
    wait: float,
    output: Output,
) -> int:
    """Erase the rows of some predictions wherever they are kept, with a receipt.

    From the traffic log in DIR (of a table: its label_log), its archive and its labels, with --config from the
    monitor's store and the answers of candidates in rollouts, and from the tables of --also. An id is a prediction_id,
    REQUEST_ID:ROW. The receipt in DIR/erasures names every file that was changed, and holds no id and no value. A
    server may be writing to the log; readers see each file old or new. A command that was interrupted is run again.
    Judged windows and their verdicts stay.

    Exit code 3 if something could not be reached.
    """
    chosen = _chosen(ids, from_file, where)
    if any(file.suffix == ".tfrecord" for file in also):
        load_frameworks("tensorflow")  # for the messages of the records
    request = ErasureRequest(
        root=_local(place),
        ids=chosen,
        where=None if where is None else ColumnValue.of(where),
        by=by or login_name(),
        tables=also,
        **({} if config is None else _places(config)),
    )
    if dry_run:
        return _planned(request, output)
    waiting = Waiting(
        seconds=wait, clock=lambda: datetime.now(UTC), elapsed=time.monotonic, sleep=time.sleep, tell=output.progress
    )
    receipt, path = erase(request, waiting)
    output.finish({"receipt": str(path), **receipt.document()}, lambda: _show(receipt, path))
    return 3 if receipt.unreached else 0


def _planned(request: ErasureRequest, output: Output) -> int:
    files = plan_erasure(request, lambda: datetime.now(UTC))
    document = {
        "dry_run": True,
        "removed": sum(file.removed for file in files),
        "files": [file.document() for file in files],
    }

    def show() -> None:
        _show_files("Would erase", files)
        click.echo("Nothing was changed.")

    output.finish(document, show)
    return 0


def _show(receipt: Receipt, path: Path) -> None:
    _show_files("Erased", receipt.files)
    changed = {name: count for name, count in (receipt.store or {}).items() if count}
    if receipt.store is not None:
        parts = ", ".join(f"{count:,} {name}" for name, count in changed.items()) or "nothing to change"
        click.echo(f"store: {parts}")
    for place in receipt.unreached:
        click.echo(one_line(f"NOT REACHED {place.what}: {place.why}. {place.fix}"))
    click.echo("Not searched: " + "; ".join(receipt.not_searched) + ".")
    click.echo(one_line(f"Receipt: {path}"))


def _show_files(verb: str, files: Sequence[ErasedRows]) -> None:
    kinds: dict[str, list[ErasedRows]] = {}
    for file in files:
        kinds.setdefault(file.kind, []).append(file)
    if not kinds:
        click.echo(
            "No such row was found in any file. (An id is REQUEST_ID:ROW; --where request_id=… is a whole request.)"
        )
    for kind, some in kinds.items():
        removed = sum(file.removed for file in some)
        count = f"{len(some):,} file{'' if len(some) == 1 else 's'}"
        click.echo(f"{verb} {removed:,} row{'' if removed == 1 else 's'} of {count}: {kind}")


def _chosen(ids: tuple[str, ...], from_file: Path | None, where: str | None) -> tuple[str, ...]:
    """The ids of the command line and of a file."""
    if from_file is not None:
        try:
            text = from_file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                "The ids cannot be read.",
                got=f"{from_file}: {getattr(error, 'strerror', None) or 'not UTF-8'}",
                expected="a text file with one prediction_id a line",
                fix="Correct --from-file.",
            ) from error
        ids = (*ids, *(line.strip() for line in text.splitlines() if line.strip()))
    if bool(ids) == (where is not None):
        raise BadInput(
            "It is not clear which rows to erase.",
            got="ids and --where" if ids else "neither ids nor --where",
            expected="one of the two",
            fix="Give prediction ids, or --from-file FILE; or --where COLUMN=VALUE alone.",
        )
    return ids


def _local(place: str) -> Path:
    if is_url(place):
        raise BadInput(
            "Rows of a log at a URL cannot be erased.",
            got=shown_url(place),
            expected="the folder of a server's --traffic",
            fix="Run this where the log's folder is: parts in its archive are erased with it. Make copies anew.",
        )
    return Path(place)


def _places(config: Path) -> dict[str, Any]:
    """Where a config keeps rows, and what its tables call their ids."""
    loaded = load_config(config)
    return {
        "store_url": loaded.store.url,
        "rollouts": loaded.rollouts_folder,
        "id_column": loaded.traffic.prediction_id,
    }
