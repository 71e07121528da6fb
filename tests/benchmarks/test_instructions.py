"""Instructions of the processor beside those of the base, and that a waste is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.instruction_scenarios import SCENARIOS
from benchmarks.instructions import ACCEPT, base_text, build, changes, count, main, read_base, valgrind
from tests.needs import missing

#: What a process of Python does before anything else: a fifth of what `pitfalls --help` does.
WASTE = "total = 0\nfor number in range(1_000_000):\n    total += number\n"


@pytest.fixture(name="base", scope="module")
def same_build() -> dict[str, int]:
    """The base's counts, where this build and valgrind's processor are those that it was counted with."""
    if valgrind() is None:
        missing("valgrind is not installed (apt-get install valgrind)")
    built, counts = read_base()
    if other := sorted(build().items() ^ built.items()):
        missing(
            f"Instructions are of another build than the base: {other}. Install what requirements.lock says, or, where "
            f"the lock has moved, count the commit before and this one with `{ACCEPT}`, and compare the two bases."
        )
    return counts


@pytest.mark.slow
@pytest.mark.timeout(1800)  # valgrind takes fifty times as long
@pytest.mark.parametrize("name", SCENARIOS)
def test_instructions_are_those_of_the_base(base: dict[str, int], name: str, tmp_path: Path) -> None:
    lines = changes(base, {name: count(name, tmp_path)})
    assert not lines, f"{'; '.join(lines)}. If that is meant, `{ACCEPT} {name}` makes it the base."


@pytest.mark.slow
def test_a_waste_is_told(base: dict[str, int], tmp_path: Path) -> None:
    planted, folder = tmp_path / "planted", tmp_path / "help"
    planted.mkdir()
    folder.mkdir()
    (planted / "sitecustomize.py").write_text(WASTE)
    root = str(Path(__file__).parents[2])
    wasted = count("help", folder, {"PYTHONPATH": f"{planted}:{root}"})
    (line,) = changes(base, {"help": wasted})
    assert line.startswith("help, `pitfalls --help`: ")
    assert " % more than the " in line


def test_the_base_has_every_scenario_and_is_written_as_it_is_read(tmp_path: Path) -> None:
    built, counts = read_base()
    assert list(counts) == list(SCENARIOS)
    written = tmp_path / "base.toml"
    written.write_text(base_text(built, counts))
    assert read_base(written) == (built, counts)


def test_less_is_a_change_too_and_names_what_was_counted() -> None:
    (line,) = changes({"init": 100, "help": 100}, {"init": 94, "help": 104})
    assert line == "init, `pitfalls monitor init` of 9,990 rows: 94 instructions, 6.0 % less than the 100 of the base"


def test_an_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["hepl"])
    assert "unknown scenario hepl" in capsys.readouterr().err
