"""What requests of at most 100 kB cost that are made to cost far more, by server and dashboard: a page."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.flights import demo_folder
from benchmarks.hostile.bursts import PROBE_EVERY_S, WAIT_S, Burst, Waits, all_bursts, waits_of
from benchmarks.hostile.costs import CPU_S, HEALTH_S, MEMORY_BYTES, Cost, Target, cost_of, send_grpc, send_rest
from benchmarks.hostile.dashboard import dashboard_requests, got, hostile_dashboard
from benchmarks.hostile.models import NAMES, export_hostile_models
from benchmarks.hostile.requests import LARGEST, Grpc, Rest, all_requests, columns, predict_all, rows
from benchmarks.results import Cell, Environment, Result, Settings, Table
from benchmarks.serving_speed import started

#: Rows of each table by what they cost, the dearest first.
DEAREST = 10
NOTE = (
    "Bytes sent; processor time of the whole process; memory from before the request to its peak; the longest wait for "
    "health while it was answered, which a busy machine lengthens. Each request once, one after another."
)

NOTE_ON_BURSTS = (
    "All connections send at once. Processor time of the event loop's thread: of the whole burst with the probes "
    "beside it, and the most between a probe on a new connection and its answer, which is to be at most "
    f"{WAIT_S * 1e3:.0f} ms. Probes come from a process of their own, every {PROBE_EVERY_S * 1e3:.0f} ms, by REST and "
    "by gRPC. A pause of Python's garbage collector counts."
)


def measure(settings: Settings) -> Result:
    """Send every request, and write the page. Cost: three minutes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        export_hostile_models(folder / "models")
        with hostile_server(folder) as server:
            requests = all_requests()
            costs = measured_costs(server, dict(list(requests.items())[:5]) if settings.quick else requests)
            bursts = all_bursts()
            waits = {name: waits_of(server, burst) for name, burst in bursts.items()}
        with hostile_dashboard(demo_folder(settings), folder) as dashboard:
            to_dashboard = dashboard_requests(dashboard)
            got(dashboard, "/")  # what the first request loads is not the hostile one's cost, as of the server's models
            its_costs = measured_costs(dashboard, to_dashboard)
    tables = (
        _table("The server", costs, sizes_of(requests)),
        _table("The dashboard", its_costs, sizes_of(to_dashboard)),
        _table_of_bursts(bursts, waits),
    )
    remarks = (
        *_remarks(costs, sizes_of(requests)),
        *_remarks(its_costs, sizes_of(to_dashboard)),
        *_remarks_on_waits(waits),
    )
    result = Result(tables=tables, remarks=remarks)
    write_page(settings.out / "hostile.md", result)
    return result


def sizes_of(requests: Mapping[str, Rest | Grpc]) -> dict[str, int]:
    """How many bytes each request has."""
    return {
        name: len(request.wire() if isinstance(request, Rest) else request.message)
        for name, request in requests.items()
    }


@contextmanager
def hostile_server(folder: Path) -> Iterator[Target]:
    """A server with a log around the models in ``folder / "models"``, each of which has answered."""
    serve = ("-m", "pitfalls_tf", "serve", "--models", str(folder / "models"), "--rest-port=0", "--grpc-port=0")
    with started((*serve, "--traffic", str(folder / "traffic"), "--json")) as server:
        target = Target(pid=server.pid, port=server.port, grpc=f"127.0.0.1:{server.grpc}")
        warm_up(target)
        yield target


def warm_up(target: Target) -> None:
    """What the first request to a model loads is not the hostile one's cost."""
    for name in NAMES:
        for request in (columns(name, "[1, 2]"), columns(name, "[1, 2, 3]")):
            assert send_rest(target, request.wire()) == "200", name
        assert send_grpc(target, predict_all(name, [2], float_val=[1.0, 2.0])) == "OK", name
    for path, body in (("half_plus_two", rows(b"1")), ("strs", rows(b'"a"')), ("wide", rows(b"[1]"))):
        for _ in range(3):
            assert send_rest(target, Rest(f"/v1/models/{path}:predict", body).wire()) == "200", path


def measured_costs(target: Target, requests: Mapping[str, Rest | Grpc]) -> dict[str, Cost]:
    """What each request costs, with progress on stderr."""
    costs = {}
    for number, (name, request) in enumerate(requests.items(), start=1):
        costs[name] = cost_of(target, request)
        mark = "  <-- too much" if costs[name].is_too_much else ""
        print(f"{number} of {len(requests)}: {name}: {_figures(costs[name])}{mark}", file=sys.stderr)
    return costs


def _figures(cost: Cost) -> str:
    return f"{cost.answer}, {cost.cpu_s:.2f} s, {cost.grown_bytes / 1e6:.0f} MB, health {cost.health_s:.2f} s"


def _table(title: str, costs: Mapping[str, Cost], sizes: Mapping[str, int]) -> Table:
    dearest = sorted(costs, key=lambda name: -max(costs[name].cpu_s / CPU_S, costs[name].grown_bytes / MEMORY_BYTES))
    rows_of: list[tuple[Cell, ...]] = [
        (
            name,
            sizes[name],
            costs[name].answer,
            costs[name].cpu_s,
            round(costs[name].grown_bytes / 1e6),
            costs[name].health_s,
        )
        for name in dearest
    ]
    return Table(
        title=title,
        columns=("request", "bytes", "answer", "processor s", "memory MB", "health s"),
        rows=tuple(rows_of),
        note=NOTE,
    )


def _table_of_bursts(bursts: Mapping[str, Burst], waits: Mapping[str, Waits]) -> Table:
    rows_of: list[tuple[Cell, ...]] = [
        (
            name,
            burst.connections * len(burst.wire),
            f"{burst.connections} x {burst.calls:,}",
            waits[name].loop_s,
            round(waits[name].rest_s * 1e3),
            round(waits[name].grpc_s * 1e3),
        )
        for name, burst in bursts.items()
    ]
    return Table(
        title="Many connections",
        columns=("burst", "bytes", "connections and calls", "processor s", "health ms", "gRPC health ms"),
        rows=tuple(rows_of),
        note=NOTE_ON_BURSTS,
    )


def _remarks_on_waits(waits: Mapping[str, Waits]) -> Iterator[str]:
    for name, wait in waits.items():
        if max(wait.rest_s, wait.grpc_s) > WAIT_S:
            yield (
                f"{name}: health waited for {max(wait.rest_s, wait.grpc_s) * 1e3:.0f} ms of processor time, more than "
                f"{WAIT_S * 1e3:.0f}."
            )


def _remarks(costs: Mapping[str, Cost], sizes: Mapping[str, int]) -> Iterator[str]:
    for name, cost in costs.items():
        if cost.is_too_much and sizes[name] <= LARGEST:
            yield f"{name}: {_figures(cost)}, more than {CPU_S} s or {MEMORY_BYTES / 1e6:.0f} MB."


def write_page(path: Path, result: Result) -> None:
    """Write the tables as Markdown."""
    head = (
        "# What hostile requests cost\n\n"
        "Results of `make bench-hostile`: requests of at most 100 kB (compressed ones may be more) that are made to "
        f"cost far more than\nthey weigh. None may cost more than {CPU_S} s of processor time or "
        f"{MEMORY_BYTES / 1e6:.0f} MB, and health is to be answered within {HEALTH_S:.0f} s\nmeanwhile. The requests "
        "are in `benchmarks/hostile`; `tests/serving/server/test_server_hostile_costs.py` holds the\nserver to it.\n\n"
        f"Measured with {Environment()}.\n\n"
    )
    parts = [head]
    for table in result.tables:
        parts += [f"## {table.title}\n\n", "| " + " | ".join(table.columns) + " |\n", "|---|---:|---|---:|---:|---:|\n"]
        parts += [
            f"| {name} | {size:,} | {answer} | {cpu:.2f} | {fifth} | "
            f"{wait if isinstance(wait, int) else format(wait, '.2f')} |\n"
            for name, size, answer, cpu, fifth, wait in table.rows
        ]
        parts.append(f"\n{table.note}\n\n")
    if result.remarks:
        parts += ["## Too much\n\n", *(f"- {remark}\n" for remark in result.remarks)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(parts).rstrip() + "\n", encoding="utf-8")
