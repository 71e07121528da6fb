"""``python -m alarm_bench``: run monitors over the bench's streams, and print or write their table."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

from .streams import Stream, real_streams
from .tables import Results, as_kept, kept_results, markdown, write_page
from .trials import TUNED_YEARS, Monitor, Outcome, outcome
from .worlds import HARMS, WORLDS, simulated, simulated_streams

ADAPTERS = Path(__file__).parent / "adapters"
RESULTS = Path(__file__).parent / "results"


def adapter_names() -> list[str]:
    """The adapters that are here, by file name."""
    return sorted(path.stem for path in ADAPTERS.glob("*.py") if path.stem != "__init__")


def monitor_of(name: str) -> Monitor:
    """The monitor of an adapter.

    Args:
        name: Of a file in `adapters`, or the path of a file elsewhere.

    Raises:
        ImportError: Its library is not installed here.
    """
    module = (
        _from_file(Path(name)) if name.endswith(".py") else importlib.import_module(f".adapters.{name}", __package__)
    )
    years = getattr(module, "TUNED_YEARS", TUNED_YEARS)
    return Monitor(name=module.TITLE, levels=tuple(module.LEVELS), alarms=module.alarms, tuned_years=years)


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{__package__}.adapters.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, stream: Stream) -> Outcome:
    """What one adapter says of one stream."""
    return outcome(monitor_of(name), stream)


def streams(*, quick: bool) -> list[Stream]:
    """All streams in their order; quickly: one real one and a small simulated one."""
    if not quick:
        return [*real_streams(), *simulated_streams()]
    harm = next(iter(HARMS))
    return [next(real_streams()), simulated(replace(WORLDS[0], rows=60), harm, seed=0)]


def measure(name: str, path: Path, chosen: list[Stream], jobs: int, *, again: bool = False) -> str:
    """Run one adapter on the streams whose results are not kept yet; each is kept as soon as it is there.

    Args:
        again: Whether to run it on all streams, and say whether results are those that were kept.

    Returns:
        What was run, in words.
    """
    title, kept = monitor_of(name).name, kept_results(path, chosen).outcomes
    outcomes = {} if again else dict(kept)
    missing = [each for each in chosen if each.name not in outcomes]
    pool = None if jobs == 1 else ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    with pool or nullcontext():
        each_said = (pool.map if pool else map)(run, repeat(name), missing)
        for stream, said in zip(missing, each_said, strict=True):
            outcomes[stream.name] = replace(said, level=as_kept(said.level))
            path.write_text(Results(title=title, outcomes=outcomes).json(chosen), "utf-8")
    if not again or not kept:
        return f"{len(missing)} of {len(chosen)} streams"
    others = [each for each in kept if outcomes[each] != kept[each]]
    same = f"level and alarms as kept on {len(kept) - len(others)} of {len(kept)} streams"
    return f"{same}, others on {', '.join(others)}" if others else same


def main(arguments: list[str] | None = None) -> int:
    """Run the adapters that are asked for; those whose results are kept are not run again."""
    parser = argparse.ArgumentParser(prog="python -m alarm_bench", description=(__doc__ or "").strip())
    parser.add_argument(
        "adapters", nargs="*", metavar="ADAPTER", help=f"file of an adapter, or of {', '.join(adapter_names())}; all"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where results are kept")
    parser.add_argument(
        "--again", action="store_true", help="run all streams anew, and say whether results are those that were kept"
    )
    parser.add_argument("--quick", action="store_true", help="two streams: a smoke test")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--page", type=Path, metavar="FILE", help="put the tables on this page")
    options = parser.parse_args(arguments)
    chosen = streams(quick=options.quick)
    options.results.mkdir(parents=True, exist_ok=True)
    for name in options.adapters or adapter_names():
        path = options.results / f"{Path(name).stem}.json"
        started = time.perf_counter()
        try:
            ran = measure(name, path, chosen, options.jobs, again=options.again)
        except ImportError as error:
            print(f"{name}: not run here, {error}", file=sys.stderr)
            continue
        print(f"{name}: {ran}, {time.perf_counter() - started:.0f} s", file=sys.stderr)
    kept = [kept_results(path, chosen) for path in sorted(options.results.glob("*.json"))]
    text = markdown([each for each in kept if each.outcomes], chosen)
    print(text)
    if options.page:
        write_page(options.page, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
