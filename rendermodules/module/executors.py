"""One function over many items: here, in a pool, or on a cluster. Nowhere else are workers started."""

import concurrent.futures
import functools
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rendermodules.module.errors import ItemError, RenderModuleError, explained, short_reason
from rendermodules.module.journal import Journal

# every worker computes with one thread: the workers are the parallelism, and an OpenCV
# that changes its number of threads in a forked child waits for ever
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "NUMBA_NUM_THREADS"), "1"
)


SECONDS_TO_REACH_DASK = 15
SECONDS_TO_SUBMIT_JOBS = 300


def map_items(
    task: Callable[[Any], Any],
    items: Sequence[Any],
    pool: Mapping[str, Any],
    *,
    describe: Callable[[Any], str] = str,
    error: type[ItemError] = ItemError,
    journal: Journal | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Any]:
    """Return ``task(item)`` for every item, in the order of the items.

    Parameters
    ----------
    task : callable
        A function of a module (workers must be able to import it) that takes parameters, not
        a connection.
    items : list
        What to do; small values, they are sent to workers.
    pool : dict
        ``pool_size``, ``pool_kind``, ``dask_scheduler``, ``cluster`` as in ``PoolParameters``.
    describe : callable, default: str
        The item in words, for messages; unique, since the journal uses it.
    error : type, default: ItemError
        What is raised for an item that failed.
    journal : Journal, optional
        Items that it knows are not done again; finished ones are noted, so results must be
        plain JSON values.
    advance : callable, optional
        Called after each item.

    Raises
    ------
    ItemError
        The first failure; items that had not begun are not begun.
    """
    finished = journal.results if journal else {}
    names = [describe(item) for item in items]
    results: list[Any] = [finished.get(name) for name in names]
    left = [index for index, name in enumerate(names) if name not in finished]
    attempts = functools.partial(_attempt, task, error)
    for index, result in _outcomes(attempts, [(index, items[index], names[index]) for index in left], pool, error):
        results[index] = result
        if journal:
            journal.record(names[index], result)
        advance()
    return results


def _attempt(task: Callable[[Any], Any], error: type[ItemError], item: Any, name: str) -> Any:
    try:
        return task(item)
    except Exception as reason:
        if isinstance(reason, ItemError):
            raise
        raise error(name, explained(reason), traceback.format_exc()) from None


def _outcomes(
    attempt: Callable[[Any, str], Any],
    work: list[tuple[int, Any, str]],
    pool: Mapping[str, Any],
    error: type[ItemError],
) -> Iterator[tuple[int, Any]]:
    if not work:
        return
    with ExitStack() as stack:
        submit = _submitter(stack, pool, len(work))
        if submit is None:
            for index, item, name in work:
                yield index, attempt(item, name)
            return
        indices = {submit(attempt, item, name): (index, name) for index, item, name in work}
        try:
            for future in _as_completed(indices, pool):
                index, name = indices[future]
                yield index, _result(future, name, error)
        finally:
            for future in indices:
                future.cancel()


def _result(future: Any, name: str, error: type[ItemError]) -> Any:
    try:
        return future.result()
    except (concurrent.futures.BrokenExecutor, _killed_worker()) as reason:
        raise error(name, f"a worker died, perhaps for want of memory ({type(reason).__name__})") from None


def _killed_worker() -> type[BaseException]:
    """Return what Dask raises for a worker that died, without importing Dask."""
    import sys

    scheduler = sys.modules.get("distributed.scheduler")
    return scheduler.KilledWorker if scheduler else concurrent.futures.BrokenExecutor


def _as_completed(futures: Mapping[Any, Any], pool: Mapping[str, Any]) -> Iterator[Any]:
    if isinstance(next(iter(futures)), Future):
        return concurrent.futures.as_completed(futures)
    import distributed

    return iter(distributed.as_completed(list(futures)))


def _submitter(stack: ExitStack, pool: Mapping[str, Any], count: int) -> Callable[..., Any] | None:
    """Return a function that hands work to workers, or None for work done here."""
    if pool.get("dask_scheduler") or pool.get("cluster"):
        client = stack.enter_context(_dask_client(pool))
        return functools.partial(client.submit, pure=False)
    size = min(int(pool.get("pool_size") or 1), count)
    if size == 1:
        return None
    if pool.get("pool_kind") == "threads":
        executor: concurrent.futures.Executor = concurrent.futures.ThreadPoolExecutor(size)
        stack.callback(executor.shutdown, cancel_futures=True)
        return executor.submit
    stack.enter_context(_environment(_ONE_THREAD))
    # forked from a clean server: no threads, locks or open database of this process in the workers
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rendermodules.module.render_module"])
    # the server may have been started in another folder, and relative paths are those of this process
    executor = concurrent.futures.ProcessPoolExecutor(
        size, mp_context=context, initializer=os.chdir, initargs=(Path.cwd(),)
    )
    stack.callback(executor.shutdown, cancel_futures=True)
    return executor.submit


@contextmanager
def _dask_client(pool: Mapping[str, Any]) -> Iterator[Any]:
    try:
        import distributed
    except ImportError:
        raise RenderModuleError("dask_scheduler and cluster need Dask: pip install 'rendermodules[cluster]'") from None
    with ExitStack() as stack:
        address = pool.get("dask_scheduler")
        if not address:
            address = stack.enter_context(_dask_cluster(**pool["cluster"]))
        try:
            client = distributed.Client(address, timeout=SECONDS_TO_REACH_DASK)
        except OSError as reason:
            raise RenderModuleError(f"no Dask scheduler answers at {address} ({short_reason(reason)})") from None
        yield stack.enter_context(client)


@contextmanager
def _dask_cluster(type: str, jobs: int, options: Mapping[str, Any]) -> Iterator[Any]:  # noqa: A002
    """Give a cluster whose jobs have been submitted; they may begin later."""
    import distributed

    local = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
    batch = {"scheduler_options": {"dashboard": False}}
    try:
        if type == "LocalCluster":
            cluster = distributed.LocalCluster(**{**local, **options})
        else:
            import dask_jobqueue

            cluster = getattr(dask_jobqueue, type)(**{**batch, **options})
    except ImportError:
        raise RenderModuleError(f"{type} needs dask-jobqueue: pip install 'rendermodules[cluster]'") from None
    except (TypeError, ValueError) as reason:
        raise RenderModuleError(f"cluster.options do not suit a {type}: {short_reason(reason)}") from None
    with cluster:
        if type != "LocalCluster":
            cluster.scale(jobs=jobs)  # type: ignore[call-arg]
            deadline = time.monotonic() + SECONDS_TO_SUBMIT_JOBS
            while len(cluster.workers) < jobs:
                if time.monotonic() > deadline:
                    raise RenderModuleError(
                        f"the {type} has taken {len(cluster.workers)} of {jobs} jobs in {SECONDS_TO_SUBMIT_JOBS} s"
                    )
                time.sleep(0.1)
            _check_submitted(cluster, type)
        yield cluster


def _check_submitted(cluster: Any, kind: str) -> None:
    """Raise a `RenderModuleError` if the batch system has refused a job, which Dask only logs and waits for ever."""
    from distributed.core import Status

    refused = [job for job in cluster.workers.values() if job.status != Status.running]
    for job in refused:
        # else the cluster could not be closed
        job.status = Status.failed
    if refused:
        raise RenderModuleError(f"the {kind} has refused {len(refused)} of {len(cluster.workers)} jobs: see the log")


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let OpenCV and linear algebra compute with one thread in this process: its threads are the workers.

    Worker processes do so anyway. Results of sums may hang on the number of threads that share them.
    """
    import cv2
    from threadpoolctl import threadpool_limits

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
