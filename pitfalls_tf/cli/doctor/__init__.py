"""``pitfalls doctor``: whether this installation works, in one screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.doctor.release import release_checks
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.doctor.check import Check
    from pitfalls_tf.cli.output import Output

__all__ = ["command"]

#: What `pitfalls serve` (REST, gRPC) and `pitfalls monitor ui` listen on where nothing else is said.
PORTS = "8501,8500,8600"
SIGNS = {"ok": "ok  ", "absent": "-   ", "wrong": "FAIL"}


@click.command()
@click.option("--store", metavar="URL", help="A store to open too, as in monitor.toml: sqlite:///FILE or postgresql+…")
@click.option(
    "--folder", "folders", multiple=True, type=click.Path(path_type=Path), help="A folder to write in; repeatable."
)
@click.option("--ports", default=PORTS, show_default=True, metavar="A,B", help="Ports that should be free.")
@click.option("--quick", is_flag=True, help="Import no framework: TensorFlow takes 4 to 10 seconds.")
@click.option(
    "--release",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Check the files of a release instead: checksums and provenance, without a network.",
)
@with_output
def command(
    store: str | None, folders: tuple[Path, ...], ports: str, release: Path | None, *, quick: bool, output: Output
) -> int:
    """Say what is installed, what each extra adds, and whether ports, folders, frameworks and the store work.

    Ends with 0 where everything that is installed works, and with 3 where something does not. A missing extra is no
    fault: its line names what it adds and the command that installs it.
    """
    if release is not None:
        checks, well = release_checks(release), "Every file is that of the release."
    else:
        from pitfalls_tf.cli.doctor.checks import all_checks  # noqa: PLC0415 - help must not wait

        checks = all_checks(store=store, folders=folders, ports=_numbers(ports), is_quick=quick)
        well = "Everything that is installed works."
    output.finish(
        {"ok": all(check.state != "wrong" for check in checks), "checks": [check.document() for check in checks]},
        lambda: _show(checks, well),
    )
    return 3 if any(check.state == "wrong" for check in checks) else 0


def _numbers(text: str) -> tuple[int, ...]:
    try:
        ports = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        ports = (-1,)
    if not all(0 < port < 65_536 for port in ports):
        raise click.BadParameter(f"{text!r} has a part that is no port; for example 8501,8500.", param_hint="--ports")
    return ports


def _show(checks: tuple[Check, ...], well: str) -> None:
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            click.echo(f"{group}:")
        click.echo(f"  {SIGNS[check.state]} {check.name:<26} {check.text}")
        if check.fix:
            click.echo(f"       {'':<26} {check.fix}")
    wrong = sum(check.state == "wrong" for check in checks)
    click.echo(well if not wrong else f"{wrong} of {len(checks)} checks failed.")
