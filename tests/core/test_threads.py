import threading

import pytest

from rendermodules.core.threads import mapped_by_threads


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_results_are_in_order(count, threads):
    assert mapped_by_threads(lambda item: item * item, range(count), threads) == [n * n for n in range(count)]


def test_threads_work_at_the_same_time_and_this_one_is_among_them():
    together = threading.Barrier(3, timeout=10)

    def task(_):
        together.wait()
        return threading.get_ident()

    workers = mapped_by_threads(task, range(3), 3)
    assert len(set(workers)) == 3
    assert threading.get_ident() in workers


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_failure_is_raised_and_no_more_is_begun(threads):
    begun = []

    def task(item):
        begun.append(item)
        raise KeyError(item)

    with pytest.raises(KeyError):
        mapped_by_threads(task, range(1000), threads)
    assert len(begun) <= threads
