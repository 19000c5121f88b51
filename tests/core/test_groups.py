from hypothesis import given
from hypothesis import strategies as st

from rendermodules.core.groups import connected_groups


def test_groups():
    assert connected_groups([{1}, {2, 3}, {4}, {3, 5}, {1}, set()]) == [[0, 4], [1, 3], [2], [5]]


@given(st.lists(st.sets(st.integers(0, 12), max_size=4), max_size=12))
def test_no_two_groups_share_a_key_and_all_is_there(keys):
    groups = connected_groups(keys)
    assert sorted(index for group in groups for index in group) == list(range(len(keys)))
    shared = [set().union(*(keys[index] for index in group)) for group in groups]
    assert sum(map(len, shared)) == len(set().union(*keys))
