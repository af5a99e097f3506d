"""The pool of processes: a job has its time, its errors are the caller's, and the API goes on."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from api import job_process, jobs
from api import pool as module
from api.bodies import read_body
from api.memory import at_most
from api.pool import Busy, JobPool, TooLong, processes_for
from core.datasets import InvalidUpload
from core.errors import Conflict, InvalidSpec
from core.experiments.projects import Quotas
from core.settings import Settings
from core.spec import Spec
from tests.api.held import hold


def nothing() -> None:
    """Set nothing up."""


@pytest.fixture
def pool() -> Iterator[JobPool]:
    made = JobPool(1, nothing)  # as all in a process that tests share
    yield made
    made.close()


def own_id() -> int:
    return os.getpid()


def refuse(body: bytes) -> None:
    read_body(body, Spec)


def disagree() -> None:
    raise Conflict("it is not so")


def take(more: int) -> int:
    """The bytes taken under a bound of 64 MB, and once more without."""
    with at_most(2**26):
        try:
            taken = len(bytearray(more))
        except MemoryError:
            taken = 0
    return taken + len(bytearray(more))


FORM = "multipart/form-data; boundary=part"


def read_in_a_megabyte(path: Path) -> None:
    jobs.MEMORY, jobs.MEMORY_TIMES = 2**20, 0
    jobs.keep_upload(path, FORM, (None, "default", Quotas()))


def stay() -> None:
    while True:
        time.process_time()


def leave() -> None:
    os._exit(9)


def test_a_job_runs_in_another_process_which_is_nicer(pool: JobPool) -> None:
    first, second = (asyncio.run(pool.run(30, own_id)) for _ in "ab")
    assert first == second != os.getpid()
    assert asyncio.run(pool.run(30, os.getpriority, os.PRIO_PROCESS, 0)) == os.getpriority(os.PRIO_PROCESS, 0) + 5


def test_what_a_job_raises_is_raised_with_all_its_problems(pool: JobPool) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        asyncio.run(pool.run(30, refuse, b'{"epoch": 3}'))
    assert [(p.path, p.known) for p in refusal.value.problems] == [("epoch", ("epochs",))]
    with pytest.raises(Conflict, match="it is not so"):
        asyncio.run(pool.run(30, disagree))


@pytest.mark.parametrize("job", [stay, leave])
def test_a_job_that_takes_too_long_or_dies_is_told_and_the_next_has_a_new_process(
    pool: JobPool, job: Callable[[], None]
) -> None:
    before = asyncio.run(pool.run(30, own_id))
    with pytest.raises(TooLong, match="ask for less at a time"):
        asyncio.run(pool.run(0.2, job))
    assert asyncio.run(pool.run(30, own_id)) != before


def test_a_caller_who_goes_away_ends_its_job(pool: JobPool, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def go_away() -> None:
        before = await pool.run(30, own_id)
        asked = asyncio.ensure_future(pool.run(300, hold, pipe))
        with await asyncio.to_thread(pipe.open, "wb"):  # it is read: the job runs
            asked.cancel()
            assert await pool.run(60, own_id) != before

    asyncio.run(go_away())


def test_one_more_than_may_wait_is_told_to_come_again(pool: JobPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)

    async def three() -> list[object]:
        return await asyncio.gather(*(pool.run(30, own_id) for _ in "abc"), return_exceptions=True)

    *done, refused = asyncio.run(three())
    assert all(isinstance(one, int) for one in done)
    assert isinstance(refused, Busy)
    assert refused.retry_after
    assert isinstance(asyncio.run(pool.run(30, own_id)), int)


def test_there_are_two_processes_or_one_for_every_two_cores_up_to_eight() -> None:
    assert [processes_for(cores) for cores in (1, 2, 4, 6, 64)] == [2, 2, 2, 3, 8]


def test_a_jobs_memory_is_bounded_while_it_says_so(pool: JobPool) -> None:
    assert asyncio.run(pool.run(60, take, 2**24)) == 2 * 2**24
    assert asyncio.run(pool.run(60, take, 2**27)) == 2**27


def test_a_file_that_takes_too_much_memory_is_refused_in_words(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    settings.uploads.mkdir(parents=True)
    table = b"x,target\n" + b"1,0\n2,1\n" * 1_000_000
    form = httpx.Request("POST", "http://any", files={"file": ("t.csv", table)}, headers={"Content-Type": FORM})
    body = tmp_path / "body"
    body.write_bytes(form.read())
    readers = JobPool(1, job_process.begin, settings)
    try:
        with pytest.raises(InvalidUpload, match="file: the file takes too much memory for its size"):
            asyncio.run(readers.run(60, read_in_a_megabyte, body))
    finally:
        readers.close()
    assert [path.name for path in settings.uploads.iterdir() if not path.name.startswith(".")] == []


def test_who_waits_for_a_job_while_the_pool_closes_waits_no_longer(tmp_path: Path) -> None:
    made, pipe = JobPool(1, nothing), tmp_path / "pipe"
    os.mkfifo(pipe)

    async def wait() -> None:
        waiting = asyncio.create_task(made.run(60.0, hold, pipe))
        with await asyncio.to_thread(pipe.open, "wb"):
            made.close()
        with pytest.raises(Busy, match="try again"):
            await asyncio.wait_for(waiting, 30)

    asyncio.run(wait())
