"""Coordinates between tiles and the world."""

import numpy as np
import pytest
import renderapi


@pytest.fixture
def filled(service, tile):
    service.put(tile("a"), tile("b", x=90), tile("c", z=2, x=1000))
    return service


@pytest.mark.routes(
    "GET S/z/{z}/world-to-local-coordinates/{x},{y}",
    "GET S/tile/{tileId}/local-to-world-coordinates/{x},{y}",
    "PUT S/z/{z}/world-to-local-coordinates",
    "PUT S/z/{z}/local-to-world-coordinates",
)
def test_single_points_and_batches(filled, render):
    found = renderapi.coordinate.world_to_local_coordinates("s", 1, 95, 20, render=render)
    assert [(one["tileId"], one.get("visible"), one["local"]) for one in found] == [
        ("a", None, [95.0, 20.0, 1.0]),
        ("b", True, [5.0, 20.0, 1.0]),
    ]
    world = renderapi.coordinate.local_to_world_coordinates("s", "b", 5, 20, render=render)
    assert world["world"] == [95.0, 20.0, 1.0]
    points = np.array([[1.5, 2.5], [40.0, 60.0]])
    worlds = renderapi.coordinate.local_to_world_coordinates_array("s", points, "b", 1, render=render)
    np.testing.assert_allclose(worlds, points + [90, 0])
    back = renderapi.coordinate.world_to_local_coordinates_array("s", worlds, "b", 1, render=render)
    np.testing.assert_allclose(back, points, atol=1e-9)
    batch = renderapi.coordinate.world_to_local_coordinates_batch("s", [{"world": [900, 9]}], 1, render=render)
    assert "error" in batch[0][0]
    items = [{"tileId": "b", "local": [5, 20]}]
    batch = renderapi.coordinate.local_to_world_coordinates_batch("s", items, 1, render=render)
    assert batch[0]["world"] == [95.0, 20.0, 1.0]


@pytest.mark.routes(
    "PUT S/z/{z}/tileIdsForCoordinates",
    "PUT S/tileIdsForCoordinates",
    "PUT S/world-to-local-coordinates",
    "PUT S/local-to-world-coordinates",
)
def test_points_of_several_layers(filled):
    path = filled.stack()
    assert [
        one["tileId"] for one in filled.ok("PUT", f"{path}/z/1/tileIdsForCoordinates", [{"world": [95, 20]}])[0]
    ] == ["a", "b"]
    items = [{"world": [9, 9, 1]}, {"world": [1009, 9, 2]}]
    assert [one[0]["tileId"] for one in filled.ok("PUT", f"{path}/tileIdsForCoordinates", items)] == ["a", "c"]
    locals_ = filled.ok("PUT", f"{path}/world-to-local-coordinates", items)
    worlds = filled.ok("PUT", f"{path}/local-to-world-coordinates", [one[0] for one in locals_])
    np.testing.assert_allclose([one["world"] for one in worlds], [item["world"] for item in items])


@pytest.mark.routes(
    "GET S/z/{z}/world-coordinates/{x},{y}/mapped-to-stack/{toStack}",
    "PUT /owner/{owner}/local-to-world-coordinates/{x},{y}",
    "PUT /owner/{owner}/world-to-local-coordinates/{x},{y}",
)
def test_between_stacks_and_without_one(filled, tile):
    filled.put(tile("b", z=4, x=500), stack="aligned")
    mapped = filled.ok("GET", f"{filled.stack()}/z/1/world-coordinates/95,20/mapped-to-stack/aligned")
    assert (mapped["tileId"], mapped["world"]) == ("b", [505.0, 20.0, 4.0])
    spec = tile("loose", x=7)
    assert filled.ok("PUT", "/owner/contract/local-to-world-coordinates/1,2", spec) == [8.0, 2.0, 1.0]
    assert filled.ok("PUT", "/owner/contract/world-to-local-coordinates/8,2", spec)[:2] == pytest.approx([1.0, 2.0])
