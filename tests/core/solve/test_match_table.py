"""Matches in few large arrays."""

import numpy as np
import pytest

from rendermodules.core.pointmatches import canvas_matches, point_matches
from rendermodules.core.problems import InputError
from rendermodules.core.solve.match_table import joined_matches, match_table, match_table_of_documents


@pytest.fixture
def found():
    random = np.random.default_rng(0)
    return [
        point_matches(("1.0", f"p{n}"), ("2.0", f"q{n}"), *random.normal(size=(2, n, 2)), random.uniform(size=n))
        for n in (3, 0, 5)
    ]


def fields(table):
    return [*vars(table).values()]


def test_documents_and_matches_give_the_same(found):
    documents = [canvas_matches(one) for one in found]
    for one, other in zip(fields(match_table(found)), fields(match_table_of_documents(documents)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(match_table_of_documents([])) == 0


def test_tables_are_joined(found):
    whole = joined_matches([match_table(found[:1]), match_table(found[1:])])
    for one, other in zip(fields(whole), fields(match_table(found)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "change",
    [
        {"matches": None},
        {"matches": {"p": [[1.0], [2.0]], "q": [[1.0], [2.0]], "w": [1.0, 1.0]}},
        {"matches": {"p": [[1.0], [2.0, 3.0]], "q": [[1.0], [2.0]], "w": [1.0]}},
        {"matches": {"p": [[1.0]], "q": [[1.0], [2.0]], "w": [1.0]}},
        {"matches": {"p": [[1.0], [None]], "q": [[1.0], [2.0]], "w": [1.0]}},
        {"matches": {"p": [[1.0], [float("nan")]], "q": [[1.0], [2.0]], "w": [1.0]}},
    ],
)
def test_what_is_no_match_is_shown(found, change):
    documents = [canvas_matches(one) for one in found]
    documents[2] = {**documents[2], "pId": "culprit", **change}
    with pytest.raises(InputError, match="culprit"):
        match_table_of_documents(documents)
    del documents[2]["pId"]
    with pytest.raises(InputError):
        match_table_of_documents(documents)
