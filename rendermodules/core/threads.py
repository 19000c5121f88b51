"""Work shared out among the threads of one call."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped_by_threads(task: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Return what ``task`` makes of each item, in their order.

    This thread works as well, so that ``threads`` - 1 others are started, and none for a single item. They end with
    the call. For items of a millisecond a pool would cost more than it saves.

    Parameters
    ----------
    task : callable
        Gains by threads as far as it runs without Python's lock: compiled code, OpenCV, reading of files.
    items : sequence
    threads : int
        How many work at most; at least 1.

    Raises
    ------
    BaseException
        The first that ``task`` has raised; items that were not begun then are left.
    """
    if min(threads, len(items)) <= 1:
        return [task(item) for item in items]
    results: dict[int, Result] = {}
    failures: list[BaseException] = []
    numbers = iter(range(len(items)))
    lock = threading.Lock()

    def work() -> None:
        while not failures:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                results[number] = task(items[number])
            except BaseException as failure:  # noqa: BLE001 - raised again by the thread that waits
                failures.append(failure)

    others = [threading.Thread(target=work) for _ in range(min(threads, len(items)) - 1)]
    for other in others:
        other.start()
    work()
    for other in others:
        other.join()
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(items))]
