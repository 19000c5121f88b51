"""What stacks were made of."""

import json

import pytest

from rendermodules.core.lineage import Matched, input_stacks, lineage, matched_stack, run_record, texts


def record(module, *sources, **parameters):
    inputs = {source: {"currentVersionNumber": 1} for source in sources}
    return {"module": module, "parameters": parameters, "inputs": {**inputs, "sha256": {"a": "b"}, "matches": {"m": 3}}}


RECORDS = {
    "raw": {},
    "lens": record("lens_correction", "raw"),
    "montage": record("solve", "lens", match_collections=["m"], num_local_transforms=None),
    "aligned": record("solve", "montage", match_collections=["m", "s"], num_local_transforms=2),
    "moved": record("move", "aligned"),
    "orphan": record("move", "gone"),
}


@pytest.mark.parametrize("notes", [None, "", "by hand", "[1]", "{}", '{"parameters": {}}', 5])
def test_notes_of_somebody_else_are_no_record(notes):
    assert run_record(notes) == {}


def test_a_record():
    assert run_record(json.dumps(RECORDS["moved"])) == RECORDS["moved"]


def test_inputs_are_stacks_only():
    assert input_stacks(record("merge", "b", "a")) == ["a", "b"]
    assert input_stacks({"module": "m", "inputs": ["a"]}) == []
    assert input_stacks({}) == []


def test_lineage():
    assert lineage("moved", RECORDS) == ["raw", "lens", "montage", "aligned", "moved"]
    assert lineage("raw", RECORDS) == ["raw"]
    assert lineage("orphan", RECORDS) == ["orphan"]
    assert lineage("a", {"a": record("turn", "b"), "b": record("turn", "a")}) == ["b", "a"]


def test_matches_are_of_the_stack_that_was_solved_by_them():
    assert matched_stack("moved", RECORDS, ["m"]) == Matched("lens", None)
    assert matched_stack("moved", RECORDS, ["s"]) == Matched("montage", 2)
    assert matched_stack("montage", RECORDS, ["s"]) == Matched("raw", None)
    assert matched_stack("moved", RECORDS, []) == Matched("raw", None)


def test_texts():
    assert list(texts({"a": ["b", {"c": "d"}], "e": 1, "f": "g"})) == ["b", "d", "g"]
