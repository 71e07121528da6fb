"""A closed-loop load generator over gRPC: TensorFlow Serving's Predict, one channel per connection.

    python -m benchmarks.grpc_load_generator PORT CONNECTIONS SECONDS < requests in base64, one per line

Prints one JSON document. A request through grpc.aio costs several times as much as one through the HTTP generator, so
this generator saturates sooner; the column for its utilisation shows when.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import grpc
import numpy as np
import uvloop

from benchmarks.load_generator import WARM_UP, Load

METHOD = "/tensorflow.serving.PredictionService/Predict"


async def loaded(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Load a server for a given time, after a warm-up."""
    latencies: list[float] = []
    sent = failures = 0
    closing = False

    async def ask() -> None:
        nonlocal sent, failures
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            call = channel.unary_unary(METHOD)
            while not closing:
                sent += 1
                began = time.perf_counter()
                try:
                    await call(requests[sent % len(requests)])
                except grpc.aio.AioRpcError:
                    failures += 1
                latencies.append(time.perf_counter() - began)

    tasks = [asyncio.create_task(ask()) for _ in range(connections)]
    await asyncio.sleep(min(WARM_UP, seconds))
    latencies.clear()
    begin, busy = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    elapsed, used = time.perf_counter() - begin, time.process_time() - busy
    counted = np.array(latencies) * 1e3
    closing = True
    await asyncio.gather(*tasks)
    return Load(
        connections=connections,
        seconds=elapsed,
        responses=counted.size,
        with_warm_up=sent,
        failures=failures,
        p50_ms=float(np.quantile(counted, 0.5)) if counted.size else float("nan"),
        p99_ms=float(np.quantile(counted, 0.99)) if counted.size else float("nan"),
        cpu_seconds=used,
    )


def main() -> None:
    """Read the requests, run the loop, print the results."""
    port, connections, seconds = sys.argv[1:]
    requests = [base64.b64decode(line) for line in sys.stdin.buffer.read().splitlines()]
    print(json.dumps(asdict(uvloop.run(loaded(int(port), requests, int(connections), float(seconds))))))


if __name__ == "__main__":
    main()
