"""Requests wait in groups, run one batch at a time, and have exactly one outcome each."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.inference.batching import Batcher, BatchTask
from serving.inference.run_pool import RunPool
from serving.models.batch_settings import BatchSettings
from serving.status import Code, Failure, NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class FakeModel:
    """Doubles numbers; keeps the batches that it ran; a blocked one waits until it may go on."""

    def __init__(self, *, closed: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.keys: list[object] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()
        if not closed:
            self.go_on.set()

    def work(self, tasks: Sequence[BatchTask[int, int]]) -> None:
        self.batches.append([task.request for task in tasks])
        self.keys.append(tasks[0].key)
        self.entered.set()
        assert self.go_on.wait(30)
        for task in tasks:
            if task.claim():
                task.outcome = 2 * task.request


@pytest.fixture
def pool() -> Iterator[RunPool]:
    threads = RunPool(1)
    yield threads
    threads.close()


async def enter(model: FakeModel) -> None:
    assert await asyncio.to_thread(model.entered.wait, 30)


def test_requests_that_arrive_while_a_batch_runs_form_the_next(pool: RunPool) -> None:
    model = FakeModel(closed=True)
    batcher: Batcher[int, int] = Batcher(model.work, pool=pool)

    async def scene() -> list[int]:
        first = asyncio.create_task(batcher.submit_and_wait(0, key="k", rows=1, timeout_s=None))
        await enter(model)
        rest = [
            asyncio.create_task(batcher.submit_and_wait(one, key="k", rows=1, timeout_s=None)) for one in range(1, 6)
        ]
        await asyncio.sleep(0)
        model.go_on.set()
        return await asyncio.gather(first, *rest)

    assert asyncio.run(scene()) == [0, 2, 4, 6, 8, 10]
    assert model.batches == [[0], [1, 2, 3, 4, 5]]


@given(
    requests=st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 6)), max_size=30),
    max_rows=st.integers(1, 8),
)
def test_batches_keep_to_one_key_and_to_the_largest_size(requests: list[tuple[str | None, int]], max_rows: int) -> None:
    model = FakeModel()
    pool = RunPool(1)
    batcher: Batcher[int, int] = Batcher(model.work, BatchSettings(max_rows=max_rows), pool=pool)

    async def scene() -> list[int]:
        return await asyncio.gather(
            *(
                batcher.submit_and_wait(index, key=key, rows=rows, timeout_s=None)
                for index, (key, rows) in enumerate(requests)
            )
        )

    assert asyncio.run(scene()) == [2 * index for index in range(len(requests))]
    pool.close()
    served = Counter(index for batch in model.batches for index in batch)
    assert served == Counter(range(len(requests)))
    for batch in model.batches:
        assert len({requests[index][0] for index in batch}) == 1
        assert len(batch) == 1 or sum(requests[index][1] for index in batch) <= max_rows
        assert len(batch) == 1 or requests[batch[0]][0] is not None, "without a key a request runs alone"
        assert batch == sorted(batch)


def test_a_larger_request_runs_alone_or_is_refused(pool: RunPool) -> None:
    model = FakeModel()
    alone: Batcher[int, int] = Batcher(model.work, BatchSettings(max_rows=4), pool=pool)
    assert asyncio.run(alone.submit_and_wait(7, key="k", rows=5, timeout_s=None)) == 14
    strict: Batcher[int, int] = Batcher(model.work, BatchSettings(max_rows=4, refuse_larger=True), pool=pool)
    with pytest.raises(Failure, match="Task size 5 is larger than maximum input batch size 4"):
        asyncio.run(strict.submit_and_wait(7, key="k", rows=5, timeout_s=None))


def test_a_full_queue_refuses_and_recovers(pool: RunPool) -> None:
    model = FakeModel(closed=True)
    batcher: Batcher[int, int] = Batcher(model.work, BatchSettings(max_waiting=2), pool=pool)

    async def scene() -> list[int | BaseException]:
        first = asyncio.create_task(batcher.submit_and_wait(0, key="k", rows=1, timeout_s=None))
        await enter(model)
        rest = [asyncio.create_task(batcher.submit_and_wait(one, key="k", rows=1, timeout_s=None)) for one in (1, 2, 3)]
        await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        model.go_on.set()
        answers = await asyncio.gather(first, *rest, return_exceptions=True)
        return [*answers, await batcher.submit_and_wait(9, key="k", rows=1, timeout_s=None)]

    zero, one, two, three, nine = asyncio.run(scene())
    assert (zero, one, two, nine) == (0, 2, 4, 18)
    assert isinstance(three, Failure)
    assert three.code is Code.UNAVAILABLE


def test_a_deadline_that_passes_in_the_queue_keeps_the_request_from_running(pool: RunPool) -> None:
    model = FakeModel(closed=True)
    batcher: Batcher[int, int] = Batcher(model.work, pool=pool)

    async def scene() -> int:
        first = asyncio.create_task(batcher.submit_and_wait(0, key="k", rows=1, timeout_s=None))
        await enter(model)
        with pytest.raises(Failure, match="the deadline passed") as caught:
            await batcher.submit_and_wait(1, key="k", rows=1, timeout_s=0.001)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        model.go_on.set()
        return await first

    assert asyncio.run(scene()) == 0
    assert model.batches == [[0]]


def test_a_deadline_that_passes_while_it_runs_takes_the_claim(pool: RunPool) -> None:
    model = FakeModel(closed=True)
    claimed: list[bool] = []

    def work(tasks: Sequence[BatchTask[int, int]]) -> None:
        model.entered.set()
        assert model.go_on.wait(30)
        claimed.extend(task.claim() for task in tasks)

    batcher: Batcher[int, int] = Batcher(work, pool=pool)

    async def scene() -> None:
        with pytest.raises(Failure, match="the deadline passed"):
            await batcher.submit_and_wait(1, key="k", rows=1, timeout_s=0.001)
        model.go_on.set()

    asyncio.run(scene())
    pool.close()
    assert claimed == [False]


def test_a_claimed_answer_leaves_though_its_deadline_passes(pool: RunPool) -> None:
    model = FakeModel(closed=True)

    def work(tasks: Sequence[BatchTask[int, int]]) -> None:
        assert all(task.claim() for task in tasks)
        model.entered.set()
        assert model.go_on.wait(30)
        for task in tasks:
            task.outcome = task.request

    batcher: Batcher[int, int] = Batcher(work, pool=pool)

    async def scene() -> int:
        sent = asyncio.create_task(batcher.submit_and_wait(5, key="k", rows=1, timeout_s=0.001))
        await enter(model)
        done, _ = await asyncio.wait([sent], timeout=0.05)
        assert not done
        model.go_on.set()
        return await sent

    assert asyncio.run(scene()) == 5


def test_failures_reach_their_own_request_and_defects_the_whole_batch(pool: RunPool) -> None:
    def work(tasks: Sequence[BatchTask[int, int]]) -> None:
        for task in tasks:
            if task.request == 13:
                raise ZeroDivisionError
            task.outcome = Failure(Code.INTERNAL, "odd") if task.request % 2 else task.request

    batcher: Batcher[int, int] = Batcher(work, pool=pool)

    async def scene(*requests: int) -> list[int | BaseException]:
        sent = (batcher.submit_and_wait(one, key="k", rows=1, timeout_s=None) for one in requests)
        return await asyncio.gather(*sent, return_exceptions=True)

    even, odd = asyncio.run(scene(2, 3))
    assert even == 2
    assert isinstance(odd, Failure)
    assert all(isinstance(one, ZeroDivisionError) for one in asyncio.run(scene(13, 2)))
    assert asyncio.run(scene(4)) == [4], "the batcher goes on"


@pytest.mark.parametrize(("took", "place"), [(0.001, "loop"), (0.003, "thread")])
def test_a_key_with_quick_batches_runs_in_the_event_loop(pool: RunPool, took: float, place: str) -> None:
    now = [0.0]
    places: list[str] = []

    def work(tasks: Sequence[BatchTask[int, int]]) -> None:
        places.append("loop" if threading.current_thread() is threading.main_thread() else "thread")
        now[0] += took
        for task in tasks:
            task.outcome = task.request

    batcher: Batcher[int, int] = Batcher(work, BatchSettings(quick_s=0.002), clock=lambda: now[0], pool=pool)

    async def scene() -> list[int]:
        sent = [(0, 1), (1, 1), (2, 2), (3, 3), (4, 1)]
        return [await batcher.submit_and_wait(one, key="k", rows=rows, timeout_s=1.0) for one, rows in sent]

    assert asyncio.run(scene()) == [0, 1, 2, 3, 4]
    # Two rows are another size than one, three the same as two.
    assert places == ["thread", place, "thread", place, place]


def test_a_defect_in_the_loop_reaches_every_request_and_the_batcher_goes_on(pool: RunPool) -> None:
    def work(tasks: Sequence[BatchTask[int, int]]) -> None:
        for task in tasks:
            task.outcome = 6 // task.request

    batcher: Batcher[int, int] = Batcher(work, BatchSettings(quick_s=1e9), pool=pool)
    seen: list[BaseException | None] = []

    async def scene() -> list[int | BaseException]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context.get("exception")))
        first = await batcher.submit_and_wait(1, key="k", rows=1, timeout_s=None)
        sent = (batcher.submit_and_wait(one, key="k", rows=1, timeout_s=None) for one in (0, 2))
        broken = await asyncio.gather(*sent, return_exceptions=True)
        return [first, *broken, await batcher.submit_and_wait(3, key="k", rows=1, timeout_s=None)]

    first, zero, two, three = asyncio.run(scene())
    assert (first, three) == (6, 2)
    # Two rows ran in the thread, where nobody else hears of it.
    assert isinstance(zero, ZeroDivisionError)
    assert isinstance(two, ZeroDivisionError)

    async def once_more() -> int | BaseException:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context.get("exception")))
        (outcome,) = await asyncio.gather(
            batcher.submit_and_wait(0, key="k", rows=1, timeout_s=None), return_exceptions=True
        )
        return outcome

    assert isinstance(asyncio.run(once_more()), ZeroDivisionError)
    assert [type(one) for one in seen] == [ZeroDivisionError]


def test_a_model_waits_for_no_other_however_many_are_slow(pool: RunPool) -> None:
    slow = [FakeModel(closed=True) for _ in range(3)]
    fast = FakeModel()
    settings = BatchSettings(quick_s=0, slow_s=-1.0)  # what has run before counts as slow
    batchers: list[Batcher[int, int]] = [Batcher(model.work, settings, pool=pool) for model in slow]
    other: Batcher[int, int] = Batcher(fast.work, BatchSettings(quick_s=0), pool=pool)

    async def ask(batcher: Batcher[int, int], *, timeout_s: float | None = None) -> int:
        return await batcher.submit_and_wait(1, key="k", rows=1, timeout_s=timeout_s)

    async def scene() -> list[int]:
        for model, batcher in zip(slow, batchers, strict=True):
            model.go_on.set()
            await ask(batcher)
            model.go_on.clear()
            model.entered.clear()
        waiting = [asyncio.create_task(ask(batcher)) for batcher in batchers]
        await enter(slow[0])
        answers = [await ask(other) for _ in range(3)]
        assert [model.entered.is_set() for model in slow] == [True, False, False], "one slow run at a time"
        with pytest.raises(Failure, match="the deadline passed"):
            await ask(batchers[2], timeout_s=0.001)
        for model in slow:
            model.go_on.set()
        return answers + await asyncio.gather(*waiting)

    assert asyncio.run(scene()) == [2] * 6
    assert [len(model.batches) for model in slow] == [2, 2, 2], "the request that missed its deadline never ran"


def test_a_place_that_nobody_needs_any_more_goes_to_the_next(pool: RunPool) -> None:
    settings = BatchSettings(quick_s=0, slow_s=-1.0)
    models = [FakeModel(closed=True) for _ in range(3)]
    batchers: list[Batcher[int, int]] = [Batcher(model.work, settings, pool=pool) for model in models]

    async def scene() -> None:
        for model, batcher in zip(models, batchers, strict=True):
            model.go_on.set()
            await batcher.submit_and_wait(1, key="k", rows=1, timeout_s=None)
            model.go_on.clear()
            model.entered.clear()
        asked = [
            asyncio.create_task(batcher.submit_and_wait(2, key="k", rows=1, timeout_s=None)) for batcher in batchers
        ]
        await enter(models[0])
        asked[1].cancel()
        models[0].go_on.set()
        await enter(models[2])
        models[2].go_on.set()
        assert (await asked[0], await asked[2], asked[1].cancelled()) == (4, 4, True)
        assert batchers[1].is_idle
        models[1].go_on.set()
        assert await batchers[1].submit_and_wait(3, key="k", rows=1, timeout_s=None) == 6

    asyncio.run(scene())
    assert models[1].batches == [[1], [3]]


@given(
    requests=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None]), st.integers(1, 4), st.booleans()), max_size=40
    ),
    runs=st.integers(1, 3),
)
def test_every_request_of_every_model_has_one_answer_in_order(
    requests: list[tuple[int, str | None, int, bool]], runs: int
) -> None:
    pool = RunPool(runs)
    models = [FakeModel() for _ in range(4)]
    settings = [BatchSettings(max_rows=4, quick_s=quick, slow_s=slow) for quick in (0, 1e9) for slow in (-1.0, 1e9)]
    batchers: list[Batcher[int, int]] = [
        Batcher(model.work, one, pool=pool) for model, one in zip(models, settings, strict=True)
    ]

    async def scene() -> list[int]:
        sent = []
        for index, (model, key, rows, pauses) in enumerate(requests):
            task = batchers[model].submit_and_wait(index, key=key, rows=rows, timeout_s=None)
            sent.append(asyncio.create_task(task))
            if pauses:
                await asyncio.sleep(0)
        return await asyncio.gather(*sent)

    assert asyncio.run(scene()) == [2 * index for index in range(len(requests))]
    pool.close()
    for number, model in enumerate(models):
        for key in ("a", "b"):
            wanted = [index for index, (asked, its, *_) in enumerate(requests) if (asked, its) == (number, key)]
            pairs = zip(model.batches, model.keys, strict=True)
            assert [index for batch, its in pairs if its == key for index in batch] == wanted


class FakeRoom:
    """Has room for so many rows at a time; keeps what was reserved."""

    def __init__(self, rows: int) -> None:
        self.free = self.all = rows
        self.reserved: list[int] = []
        self.try_again: list[Callable[[], object]] = []
        self.refuses: list[object] = []

    def is_small(self, key: object, rows: int) -> bool:
        return False

    def rows(self, key: object) -> int:
        return self.free

    def reserve(self, key: object, rows: int) -> int | None:
        if key in self.refuses:
            raise NoRoom
        if rows > self.free < self.all:
            return None
        self.reserved.append(rows)
        self.free -= rows
        return rows

    def release(self, size: int) -> None:
        self.free += size

    def wait(self, try_again: Callable[[], object]) -> None:
        self.try_again.append(try_again)


def test_a_batch_is_as_large_as_there_is_room(pool: RunPool) -> None:
    model, room = FakeModel(), FakeRoom(4)
    batcher: Batcher[int, int] = Batcher(model.work, BatchSettings(quick_s=0), pool=pool, room=room)

    async def scene() -> list[int]:
        sizes = (1, 2, 2, 4, 9, 1)
        waits = [batcher.submit_and_wait(each, key="k", rows=size, timeout_s=None) for each, size in enumerate(sizes)]
        return await asyncio.gather(*waits)

    assert asyncio.run(scene()) == [0, 2, 4, 6, 8, 10]
    assert model.batches == [[0, 1], [2], [3], [4], [5]]
    assert (room.reserved, room.free) == ([3, 2, 4, 9, 1], 4)


def test_a_small_batch_reserves_nothing(pool: RunPool) -> None:
    model, room = FakeModel(), FakeRoom(0)
    room.is_small = lambda key, rows: rows == 1  # type: ignore[method-assign]
    room.refuses = ["k"]
    batcher: Batcher[int, int] = Batcher(model.work, BatchSettings(quick_s=0), pool=pool, room=room)

    async def scene() -> int:
        with pytest.raises(NoRoom):
            await batcher.submit_and_wait(1, key="k", rows=2, timeout_s=None)
        return await batcher.submit_and_wait(1, key="k", rows=1, timeout_s=None)

    assert asyncio.run(scene()) == 2
    assert (room.reserved, room.free, batcher.is_idle) == ([], 0, True)


def test_a_request_whose_answer_could_not_be_held_fails_and_the_others_run(pool: RunPool) -> None:
    model, room = FakeModel(), FakeRoom(4)
    room.refuses = ["large", None]
    batcher: Batcher[int, int] = Batcher(model.work, BatchSettings(quick_s=0), pool=pool, room=room)

    async def scene() -> list[int | BaseException]:
        keys = ("large", "small", None, "large", "small")
        waits = [batcher.submit_and_wait(each, key=key, rows=1, timeout_s=None) for each, key in enumerate(keys)]
        return await asyncio.gather(*waits, return_exceptions=True)

    outcomes = asyncio.run(scene())
    assert [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes] == [
        NoRoom,
        2,
        NoRoom,
        NoRoom,
        8,
    ]
    assert room.free == 4
    assert batcher.is_idle


def test_a_batch_waits_for_room_and_its_requests_for_no_longer_than_they_may(pool: RunPool) -> None:
    model, room = FakeModel(), FakeRoom(4)
    room.free = 0
    batcher: Batcher[int, int] = Batcher(model.work, BatchSettings(quick_s=1e9), pool=pool, room=room)

    async def scene() -> int:
        first = asyncio.create_task(batcher.submit_and_wait(1, key="k", rows=1, timeout_s=None))
        with pytest.raises(Failure, match="the deadline passed"):
            await batcher.submit_and_wait(2, key="k", rows=1, timeout_s=0.001)
        room.free = 4
        room.try_again.pop()()
        return await first

    assert asyncio.run(scene()) == 2
    assert model.batches == [[1]]
    assert (room.free, batcher.is_idle) == (4, True)
