"""Stacks made, copied, renamed, closed and removed."""

import logging
from typing import Any

from rendermodules.render_ws.clients.arguments import (
    Client,
    UsageError,
    a_number,
    choice,
    flag,
    many,
    number,
    text,
    whole,
)
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, stack_of
from rendermodules.render_ws.models import STATES

logger = logging.getLogger(__name__)

_VERSION_OPTIONS = (
    text("versionNotes", "notes about the version"),
    whole("cycleNumber", "number of the processing cycle"),
    whole("cycleStepNumber", "step within the cycle"),
    number("stackResolutionX", "width of a pixel in nm"),
    number("stackResolutionY", "height of a pixel in nm"),
    number("stackResolutionZ", "thickness of a layer in nm"),
    text("materializedBoxRootPath", "where rendered boxes of the stack are"),
    number("alignmentQuality", "how well the stack is aligned"),
    text("defaultChannelName", "channel that is shown when none is asked for"),
)
_NAMES_IN_VERSION = {"defaultChannelName": "defaultChannel"}


def _run(options: Any) -> None:
    _ACTIONS[options.action](options)


def _version(options: Any) -> dict[str, Any]:
    given = {option.name: getattr(options, option.name) for option in _VERSION_OPTIONS}
    return {_NAMES_IN_VERSION.get(name, name): value for name, value in given.items() if value is not None}


def _create(options: Any) -> None:
    stack_of(options).create(_version(options))


def _clone(options: Any) -> None:
    if options.cloneResultStack is None:
        raise UsageError("--cloneResultStack is missing, which CLONE needs")
    stack = stack_of(options)
    # a copy keeps what is not said anew, its resolution above all
    version = {**(stack.metadata().get("currentVersion") or {}), **_version(options)}
    stack.send(
        "PUT",
        "cloneTo",
        options.cloneResultStack,
        body=version,
        toProject=options.cloneResultProject,
        z=options.zValues or None,
        skipTransforms=options.skipSharedTransformClone,
    )
    logger.info("copied %s to %s", stack, stack.sibling(options.cloneResultStack, options.cloneResultProject))


def _rename(options: Any) -> None:
    stack = stack_of(options)
    target = stack.sibling(options.renamedStack, options.renamedProject, options.renamedOwner)
    if target.path == stack.path:
        raise UsageError("RENAME needs --renamedOwner, --renamedProject or --renamedStack")
    stack.send("PUT", "stackId", body={"owner": target.owner, "project": target.project, "stack": target.name})
    logger.info("%s is now %s", stack, target)


def _set_state(options: Any) -> None:
    if options.stackState is None:
        raise UsageError("--stackState is missing, which SET_STATE needs")
    stack_of(options).set_state(options.stackState)


def _delete(options: Any) -> None:
    stack = stack_of(options)
    if options.sectionId is not None:
        stack.send("DELETE", "section", options.sectionId)
        logger.info("removed section %s of %s", options.sectionId, stack)
    for z in options.zValues:
        stack.delete_layer(z)
        logger.info("removed z %s of %s", z, stack)
    if options.sectionId is None and not options.zValues:
        stack.send("DELETE")
        logger.info("removed %s", stack)


_ACTIONS = {"CREATE": _create, "CLONE": _clone, "RENAME": _rename, "SET_STATE": _set_state, "DELETE": _delete}

CLIENT = Client(
    "Makes, copies, renames or removes a stack, or sets its state.",
    _run,
    (
        *STACK_OPTIONS,
        choice("action", "what to do", _ACTIONS, required=True),
        choice("stackState", "of SET_STATE", STATES),
        *_VERSION_OPTIONS,
        text("cloneResultProject", "project of the copy; by default the same"),
        text("cloneResultStack", "name of the copy"),
        flag("skipSharedTransformClone", "copy no shared transforms"),
        text("renamedOwner", "new owner"),
        text("renamedProject", "new project"),
        text("renamedStack", "new name"),
        text("sectionId", "of DELETE: remove this section only"),
        many("zValues", "of CLONE and DELETE: these layers only", a_number),
    ),
)
