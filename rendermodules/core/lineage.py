"""What stacks were made of, as the records of the runs that made them tell.

Every module leaves a record in the notes of the stack that it writes: its name, its parameters, and the versions of the
stacks that it read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Record = Mapping[str, Any]
"""Record of a run: ``module``, ``parameters``, ``inputs`` ...; empty where nobody left one."""

_STACK_VERSION = "currentVersionNumber"
_LOCAL_TRANSFORMS = "num_local_transforms"


class Matched(NamedTuple):
    """Where matches were found.

    Attributes
    ----------
    stack : str
        The stack whose tiles were matched, as far as is known.
    num_local_transforms : int or None
        How many of their transforms are in the matched pixels; None is what Render's rule says of this stack.
    """

    stack: str
    num_local_transforms: int | None


def run_record(notes: Any) -> Record:
    """Return the record of a run out of a stack's notes, which may be anybody's text."""
    try:
        record = json.loads(notes)
    except (TypeError, ValueError):
        return {}
    return record if isinstance(record, dict) and "module" in record else {}


def input_stacks(record: Record) -> list[str]:
    """Return the names of the stacks that a run has read, sorted."""
    inputs = record.get("inputs")
    if not isinstance(inputs, Mapping):
        return []
    # digests of files and counts of matches stand beside the versions of stacks
    return sorted(name for name, of in inputs.items() if isinstance(of, Mapping) and _STACK_VERSION in of)


def lineage(name: str, records: Mapping[str, Record]) -> list[str]:
    """Return a stack and what it was made of, step by step, as far back as is known; itself last."""
    chain = [name]
    while True:
        earlier = [one for one in input_stacks(records.get(chain[0], {})) if one in records and one not in chain]
        if not earlier:
            return chain
        chain.insert(0, earlier[0])


def texts(value: Any) -> Iterator[str]:
    """Give all texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def matched_stack(name: str, records: Mapping[str, Record], collections: Iterable[str]) -> Matched:
    """Return where the matches of collections were found, for a stack that is looked at with them.

    It is the stack that was read by the first run in its lineage that used one of the collections; where no run did,
    the first stack of the lineage.
    """
    wanted = set(collections)
    chain = lineage(name, records)
    for one in chain:
        record = records.get(one, {})
        parameters = record.get("parameters") or {}
        if wanted & set(texts(parameters)):
            count = parameters.get(_LOCAL_TRANSFORMS)
            read = [source for source in input_stacks(record) if source in records]
            return Matched(read[0] if read else one, count if isinstance(count, int) else None)
    return Matched(chain[0], None)
