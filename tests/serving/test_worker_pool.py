"""Places are bounded, taken and given back; work that lasts too long is given up."""

import asyncio
import gc
import threading
import time

import pytest

from vitrine.serving.problems import ProblemError
from vitrine.serving.worker_pool import WorkerPool, stop_if_given_up


@pytest.fixture
def gate():
    """Return an event that work waits for, opened at the end whatever happens."""
    event = threading.Event()
    yield event
    event.set()


async def settled(true):
    """Wait until the loop has seen what a thread told it."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.005)


def run(coroutine):
    return asyncio.run(coroutine)


def test_work_is_done_and_its_wait_is_measured(gate):
    depths = []

    async def main():
        pool, begun = WorkerPool(1, 4, 30.0, depths.append), threading.Event()
        asked = time.perf_counter()
        first = asyncio.create_task(pool.run(lambda: begun.set() or gate.wait()))
        await asyncio.to_thread(begun.wait)
        most = time.perf_counter() - asked
        second = asyncio.create_task(pool.run(lambda: "done"))
        await settled(lambda: depths[-1] == 2)
        waiting = time.perf_counter()
        await asyncio.sleep(0.05)
        least = time.perf_counter() - waiting
        gate.set()
        return await first, most, await second, least

    first, most, second, least = run(main())

    assert second.result == "done"
    assert first.queued <= most
    assert second.queued >= least


def test_beyond_its_places_work_is_refused_at_once_and_they_come_back(gate):
    depths = []

    async def main():
        pool = WorkerPool(1, 2, 5.0, depths.append)
        waiting = [asyncio.create_task(pool.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await pool.run(lambda: None)
        gate.set()
        await asyncio.gather(*waiting)
        await settled(lambda: depths[-1] == 0)
        assert (await pool.run(lambda: 3)).result == 3
        return refused.value.code

    assert run(main()) == "surcharge"
    assert max(depths) == 2


def test_work_that_lasts_too_long_is_given_up_and_keeps_its_place_until_it_ends(gate):
    depths = []

    async def main():
        pool = WorkerPool(1, 1, 0.5, depths.append)
        with pytest.raises(ProblemError) as refused:
            await pool.run(gate.wait)
        with pytest.raises(ProblemError) as next_one:
            await pool.run(lambda: None)
        gate.set()
        await settled(lambda: depths[-1] == 0)
        return refused.value.code, next_one.value.code

    assert run(main()) == ("prediction_trop_longue", "surcharge")


def test_work_that_has_not_begun_when_given_up_never_runs(gate):
    ran = []

    async def main():
        pool = WorkerPool(1, 2, 0.5)
        first = asyncio.create_task(pool.run(gate.wait))
        await asyncio.sleep(0)
        for waiting in (pool.run(lambda: ran.append(1)), first):
            with pytest.raises(ProblemError):
                await waiting
        gate.set()
        pool.close()

    run(main())

    assert ran == []


def test_a_failure_reaches_the_caller_and_frees_the_place():
    depths = []

    async def main():
        pool = WorkerPool(1, 1, 5.0, depths.append)
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 / 0)
        await settled(lambda: depths[-1] == 0)

    run(main())

    assert depths == [1, 0]


def test_closing_waits_for_what_is_computed():
    ended = []

    async def main():
        pool = WorkerPool(1, 1, 5.0)
        begun = threading.Event()

        def work():
            begun.set()
            threading.Event().wait(0.1)
            ended.append(1)

        task = asyncio.create_task(pool.run(work))
        await asyncio.to_thread(begun.wait)
        await asyncio.to_thread(pool.close)
        await task

    run(main())

    assert ended == [1]


def test_closing_does_not_begin_what_still_waits(gate):
    began = []

    async def main():
        pool, begun = WorkerPool(1, 2, 30.0), threading.Event()
        first = asyncio.create_task(pool.run(lambda: begun.set() or gate.wait()))
        await asyncio.to_thread(begun.wait)
        second = asyncio.create_task(pool.run(lambda: began.append(1)))
        await asyncio.sleep(0)  # it has taken its place, behind the first
        closing = asyncio.create_task(asyncio.to_thread(pool.close))
        await asyncio.wait([second], timeout=1)  # given up at once, while the first goes on
        gate.set()
        await asyncio.gather(first, closing)
        await asyncio.wait([second])

    run(main())

    assert began == []


def test_work_that_is_given_up_stops_at_its_next_stage(gate):
    stages = []

    async def main():
        pool = WorkerPool(1, 1, 0.2)

        def work():
            gate.wait()
            stop_if_given_up()
            stages.append("second")

        with pytest.raises(ProblemError):
            await pool.run(work)
        gate.set()
        await asyncio.to_thread(pool.close)

    run(main())

    assert stages == []


def test_work_that_is_waited_for_goes_on_even_after_work_that_was_not():
    async def main():
        pool = WorkerPool(1, 2, 0.2)
        with pytest.raises(ProblemError):
            await pool.run(lambda: time.sleep(0.4))
        return (await pool.run(lambda: stop_if_given_up() or "whole", within=5.0)).result

    assert run(main()) == "whole"


def test_places_are_charged_by_cost_and_one_that_is_free_admits(gate):
    depths = []

    async def main():
        pool = WorkerPool(1, 10, 5.0, depths.append)
        heavy = [asyncio.create_task(pool.run(gate.wait, cost=9)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await pool.run(lambda: None)
        gate.set()
        await asyncio.gather(*heavy)
        await settled(lambda: depths[-1] == 0)
        return refused.value.code

    assert run(main()) == "surcharge"
    assert max(depths) == 18


def test_pieces_of_work_that_holds_a_place_are_not_refused(gate):
    async def main():
        pool = WorkerPool(1, 1, 5.0)
        with pool.place():
            with pytest.raises(ProblemError):
                await pool.run(lambda: None)
            first = (await pool.run(lambda: 3, admitted=True)).result
        await settled(lambda: pool._taken == 0)
        return first, (await pool.run(lambda: 4)).result

    assert run(main()) == (3, 4)


def test_pieces_of_work_that_holds_a_place_take_no_other(gate):
    async def main():
        depths = []
        pool = WorkerPool(2, 2, 5.0, depths.append)
        with pool.place():
            for _ in range(2):
                await pool.run(lambda: None, admitted=True)
            piece = asyncio.create_task(pool.run(gate.wait, admitted=True))
            await asyncio.sleep(0)
            other = (await pool.run(lambda: "answered")).result  # the second worker is free
            gate.set()
            await piece
        await settled(lambda: pool._taken == 0)
        return other, max(depths)

    assert run(main()) == ("answered", 2)


def test_a_piece_that_goes_on_after_its_time_keeps_the_place_until_it_ends(gate):
    async def main():
        pool = WorkerPool(1, 1, 5.0)
        with pytest.raises(ProblemError, match="prediction_trop_longue"), pool.place():
            await pool.run(gate.wait, admitted=True, within=0.05)
        taken = pool._taken
        gate.set()
        await settled(lambda: pool._taken == 0)
        return taken

    assert run(main()) == 1


def test_work_that_would_be_answered_too_late_is_refused_and_other_work_is_not(gate):
    async def main():
        pool = WorkerPool(2, 100, 10.0)
        pool.pace = 1.0
        waiting = [asyncio.create_task(pool.run(gate.wait)) for _ in range(6)]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await pool.run(lambda: None, within=2.9)  # the six take two workers three seconds
        patient = asyncio.create_task(pool.run(lambda: "answered", within=3.1))
        await asyncio.sleep(0)
        gate.set()
        return refused.value.code, (await patient).result, len(await asyncio.gather(*waiting))

    assert run(main()) == ("surcharge", "answered", 6)


def test_a_batch_that_would_be_answered_too_late_is_refused(gate):
    async def main():
        pool = WorkerPool(1, 100, 1.5)
        pool.pace = 1.0
        waiting = [asyncio.create_task(pool.run(gate.wait, within=30.0)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused, pool.place():
            pass
        gate.set()
        await asyncio.gather(*waiting)
        return refused.value.code

    assert run(main()) == "surcharge"


def test_a_free_worker_admits_however_slow_it_was_and_learns_its_pace_again(gate):
    async def main():
        pool = WorkerPool(2, 100, 5.0)
        pool.pace = 1000.0
        other = asyncio.create_task(pool.run(gate.wait))
        await asyncio.sleep(0)
        for _ in range(3):
            await pool.run(lambda: None)
        learnt = pool.pace
        gate.set()
        await other
        return learnt

    assert run(main()) == pytest.approx(729, rel=1e-3)


def test_the_pace_is_the_seconds_of_a_place_failures_included():
    def fail():
        time.sleep(0.2)
        raise ZeroDivisionError

    async def main():
        pool = WorkerPool(1, 100, 5.0)
        await pool.run(lambda: time.sleep(0.2), cost=4)
        first = pool.pace
        with pytest.raises(ZeroDivisionError):
            await pool.run(fail)
        return first, pool.pace

    first, second = run(main())

    assert 0.05 <= first < 0.15
    assert second == pytest.approx(0.9 * first + 0.1 * 0.2, abs=0.02)
    assert second > first


def test_work_that_fails_when_nobody_waits_any_more_is_no_error_of_the_log(gate, caplog):
    def fail():
        gate.wait()
        raise ZeroDivisionError

    async def main():
        pool = WorkerPool(1, 1, 0.1)
        with pytest.raises(ProblemError):
            await pool.run(fail)
        gate.set()
        await settled(lambda: pool._taken == 0)

    run(main())
    gc.collect()

    assert caplog.text == ""
