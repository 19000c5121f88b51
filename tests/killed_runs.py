"""Kill a module at each of its changes to a store, start it again, and say what stacks and match collections are like.

``python killed_runs.py STORE MODULE PARAMETERS``: the store is left alone, a copy of it is used. The parameters are
JSON, with any ``render.host``. Prints one JSON line for each change: how the run and its repetition ended, the stacks
after the kill, and those after the repetition; the last line is a run that nobody killed.
"""

import json
import os
import shutil
import signal
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

import cv2
import renderapi
from requests import Session

from rendermodules.core.pointmatches import canvas_matches
from rendermodules.module import matches, stacks
from rendermodules.module.catalogue import find_module
from rendermodules.module.connection import connect
from rendermodules.module.matches import match_collection
from rendermodules.render_ws.store.database import close_databases


def in_child(function, *arguments):
    """Return what a function returns in a forked child, and how the child ended: this process never opens its store."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(function(*arguments), pipe, sort_keys=True)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(text) if text else None, ended


def killed_run(module, parameters, kill_at):
    """Run a module, killing this process before its ``kill_at``-th change."""
    send, changes = Session.send, 0

    def counting_send(session, request, **options):
        nonlocal changes
        changes += request.method in ("PUT", "POST", "DELETE")
        if changes == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return send(session, request, **options)

    Session.send = counting_send
    module(parameters).run()


def repeated_run(module, parameters, ended):
    """Run a module that was killed again; return the stacks before and after."""
    render = connect(parameters["render"])
    before = state(render)
    if ended:
        module(parameters).run()
    return before, state(render)


def state(render):
    """Return the tiles and shared transforms of all sections, by stack and z, and the matches of all collections."""
    collections = {
        f"match collection {name}": list(map(canvas_matches, matches.all_matches(match_collection(render, name))))
        for name in matches.collection_names(render)
    }
    return collections | {
        name: {
            str(z): [section.tiles, section.transforms]
            for z in renderapi.stack.get_z_values_for_stack(name, render=render)
            for section in [stacks.read_section(render, name, z)]
        }
        for name in stacks.stack_names(render)
    }


def main(store, name, text):
    module, original = find_module(name).load(), Path(store)
    load_everything(module, json.loads(text), original)
    for kill_at in range(1, 1000):
        with copied_store(original, "killed", json.loads(text)) as parameters:
            _, ended = in_child(killed_run, module, parameters, kill_at)
            states, again = in_child(repeated_run, module, parameters, ended)
        sys.stdout.write(json.dumps({"ended": ended, "again": again, "states": states}) + "\n")
        if ended != -signal.SIGKILL:
            return


def load_everything(module, parameters, original):
    """Run a module, so that compiled code and the service are loaded once and not by every child."""
    # children would wait for threads that they do not have
    cv2.setNumThreads(1)
    with copied_store(original, "loading", parameters) as parameters:
        module(parameters).run()
    close_databases()


@contextmanager
def copied_store(original, name, parameters):
    """Have a copy of a store and a place for journals in a new folder; gives the parameters that lead to it."""
    folder = original.parent / name
    folder.mkdir()
    for file in original.parent.glob(f"{original.name}*"):
        shutil.copy(file, folder)
    os.environ["RENDERMODULES_STATE"] = str(folder / "state")
    yield {**parameters, "render": {**parameters["render"], "host": str(folder / original.name)}}
    shutil.rmtree(folder)


main(*sys.argv[1:])
