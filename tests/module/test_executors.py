import math
import os
import signal
import time

import pytest
import requests

from rendermodules.module import executors
from rendermodules.module.errors import ItemError, RenderModuleError, SectionError
from rendermodules.module.executors import map_items
from rendermodules.module.journal import Journal

POOLS = [{"pool_size": 1}, {"pool_size": 2}, {"pool_size": 2, "pool_kind": "threads"}]


@pytest.mark.parametrize("pool", POOLS)
def test_results_are_in_the_order_of_the_items(pool):
    assert map_items(math.sqrt, [9.0, 4.0, 1.0, 0.0], pool) == [3.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize("pool", POOLS)
def test_a_failure_names_its_item_and_hides_the_traceback(pool):
    with pytest.raises(SectionError, match=r"section z=-1.0: ValueError: ") as caught:
        map_items(math.sqrt, [4.0, -1.0], pool, describe="section z={}".format, error=SectionError)
    assert "Traceback" in caught.value.details
    assert "Traceback" not in str(caught.value)


def test_what_has_not_begun_after_a_failure_is_not_begun():
    begun = []

    def task(item):
        begun.append(item)
        raise ValueError("no")

    with pytest.raises(ItemError):
        map_items(task, [1, 2, 3], {"pool_size": 1})
    assert begun == [1]


def ask_a_server_that_is_not_there(port):
    requests.get(f"http://127.0.0.1:{port}/")


def test_a_server_that_is_gone_is_reported_as_such():
    with pytest.raises(ItemError, match="^1: Render does not answer; is render.host right"):
        map_items(ask_a_server_that_is_not_there, [1, 1], {"pool_size": 2})


def test_a_killed_worker_is_reported():
    with pytest.raises(ItemError, match="a worker died"):
        map_items(signal.raise_signal, [signal.SIGKILL, signal.SIGKILL], {"pool_size": 2})


def test_workers_are_in_the_folder_of_the_program(tmp_path, monkeypatch):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert map_items(os.path.abspath, ["a", "b"], {"pool_size": 2}) == [str(tmp_path / name / x) for x in "ab"]


def test_a_dask_cluster():
    pool = {"cluster": {"type": "LocalCluster", "jobs": 2, "options": {"processes": False, "protocol": "tcp://"}}}
    assert map_items(math.sqrt, [9.0, 4.0], pool) == [3.0, 2.0]
    with pytest.raises(ItemError, match=r"-1.0: ValueError"):
        map_items(math.sqrt, [9.0, -1.0], pool)


SLURM = {"type": "SLURMCluster", "jobs": 1, "options": {"cores": 1, "memory": "1GB", "interface": "lo"}}


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """Function that puts a shell script in the place of SLURM's program that takes jobs."""

    def sbatch(text):
        for name, content in (("sbatch", text), ("scancel", 'kill "$1"')):
            (tmp_path / name).write_text(f"#!/bin/bash\n{content}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    monkeypatch.chdir(tmp_path)
    return sbatch


def test_jobs_of_a_batch_system(sbatch):
    # the file is gone when the program has ended
    sbatch('job=$(cat "$1"); bash -c "$job" >/dev/null 2>&1 & echo "Submitted batch job $!"')
    assert map_items(math.sqrt, [9.0, 4.0], {"cluster": SLURM}) == [3.0, 2.0]


def test_a_refused_job_is_reported(sbatch):
    sbatch('echo "invalid partition" >&2; exit 1')
    with pytest.raises(RenderModuleError, match="the SLURMCluster has refused 1 of 1 jobs"):
        map_items(math.sqrt, [9.0], {"cluster": SLURM})


def test_jobs_that_are_not_taken_are_reported(sbatch, monkeypatch):
    monkeypatch.setattr(executors, "SECONDS_TO_SUBMIT_JOBS", 1)
    sbatch('sleep 2; echo "Submitted batch job 1"')
    with pytest.raises(RenderModuleError, match="has taken 0 of 1 jobs in 1 s"):
        map_items(math.sqrt, [9.0], {"cluster": SLURM})


# Dask warns of the half of a cluster that it has made
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("options", [{"cores": 1}, {"cores": 1, "memory": "1GB", "partition": "gpu"}])
def test_options_that_no_cluster_has_are_reported(options):
    with pytest.raises(RenderModuleError, match="cluster.options do not suit a SLURMCluster: "):
        map_items(math.sqrt, [9.0], {"cluster": {**SLURM, "options": options}})


def test_an_absent_scheduler_is_reported(monkeypatch):
    monkeypatch.setattr(executors, "SECONDS_TO_REACH_DASK", 1)
    with pytest.raises(RenderModuleError, match="no Dask scheduler answers"):
        map_items(math.sqrt, [1.0], {"dask_scheduler": "tcp://127.0.0.1:1"})


def test_a_killed_run_goes_on_where_it_stopped():
    done = []

    def task(item):
        if item == 3 and len(done) == 2:
            raise ValueError("killed")
        done.append(item)
        return item * 10

    with pytest.raises(ItemError), Journal({"module": "a"}) as journal:
        map_items(task, [1, 2, 3], {"pool_size": 1}, journal=journal)
    done.append("again")
    with Journal({"module": "a"}) as journal:
        assert map_items(task, [1, 2, 3], {"pool_size": 1}, journal=journal) == [10, 20, 30]
    assert done == [1, 2, "again", 3]
    assert Journal({"module": "a"}).results == {}


def test_progress_lines(caplog, monkeypatch):
    import logging

    from rendermodules.module import progress

    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    logger = logging.getLogger("rendermodules.test")
    with caplog.at_level(logging.INFO), progress.progress(10, "sections", logger, done=5) as advance:
        time.sleep(0.01)
        advance()
    assert "6 of 10 sections" in caplog.text


def test_workers_are_in_the_folder_of_the_run(tmp_path, monkeypatch):
    pool = {"pool_size": 2, "pool_kind": "processes"}
    for size in (3, 5):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "a").write_text("x" * size)
        (folder / "b").write_text("y" * size)
        monkeypatch.chdir(folder)
        assert map_items(os.path.getsize, ["a", "b"], pool) == [size, size]
