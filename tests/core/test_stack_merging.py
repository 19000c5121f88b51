import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.stack_merging import check_tile_ids, planned_z_values

ZS = [[0.0, 1.5, 4.0], [1.5, 4.0, 5.0]]


@pytest.mark.parametrize(
    ("z_mode", "z_set", "expected"),
    [
        ("keep", "union", [[(0.0, 0.0), (1.5, 1.5), (4.0, 4.0)], [(1.5, 1.5), (4.0, 4.0), (5.0, 5.0)]]),
        ("keep", "intersection", [[(1.5, 1.5), (4.0, 4.0)], [(1.5, 1.5), (4.0, 4.0)]]),
        ("consecutive", "union", [[(0.0, 10.0), (1.5, 11.0), (4.0, 12.0)], [(1.5, 13.0), (4.0, 14.0), (5.0, 15.0)]]),
        ("consecutive", "intersection", [[(1.5, 10.0), (4.0, 11.0)], [(1.5, 12.0), (4.0, 13.0)]]),
    ],
)
def test_planned_z_values(z_mode, z_set, expected):
    assert planned_z_values(ZS, z_mode=z_mode, z_set=z_set, first_z=10.0) == expected


def test_shared_tile_ids_are_named_with_their_stacks():
    check_tile_ids([("a", ["1", "2"]), ("b", ["3"])])
    with pytest.raises(InputError, match="in a and b: 2; in a and c: 1$"):
        check_tile_ids([("a", ["1", "2"]), ("b", ["2", "5"]), ("c", ["1", "9"])])
    with pytest.raises(InputError, match="in a and a: 1"):
        check_tile_ids([("a", ["1"]), ("a", ["1"])])
