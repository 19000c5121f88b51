"""A project of three stacks with matches whose residuals are known."""

import json

import numpy as np
import pytest
import tifffile

from rendermodules.core.sections import Section
from rendermodules.io.paths import url_of_path

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def at(x, y):
    return {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} {y}"}


@pytest.fixture
def put_matches(render):
    """Function that puts pairs of (group, tile), (group, tile), points p, points q into a collection."""

    def put(collection, *pairs):
        documents = [
            {
                "pGroupId": p[0],
                "pId": p[1],
                "qGroupId": q[0],
                "qId": q[1],
                "matches": {
                    "p": np.transpose(p_points).tolist(),
                    "q": np.transpose(q_points).tolist(),
                    "w": [1.0] * len(p_points),
                },
            }
            for p, q, p_points, q_points in pairs
        ]
        assert (
            render.session.put(
                f"{render.DEFAULT_HOST}/render-ws/v1/owner/tester/matchCollection/{collection}/matches", json=documents
            ).status_code
            == 201
        )

    return put


@pytest.fixture
def project(render, write_stack, tile_spec, put_matches, tmp_path):
    """Stacks raw, montaged and final at z 1 and 2; montaged has lost tile c of z 1, and b is 3 and 4 pixels off at z 1.

    Every other tile fits exactly, from section to section too.
    """
    image = tmp_path / "image.tif"
    tifffile.imwrite(image, np.full((10, 20), 150, np.uint8))

    def tile(name, z, *transforms):
        return tile_spec(f"{name}{z:g}", z, *transforms, image=url_of_path(image))

    def notes(module, source, **parameters):
        return json.dumps(
            {
                "module": f"rendermodules.{module}",
                "inputs": {source: {"currentVersionNumber": 1}},
                "parameters": parameters,
            }
        )

    raw = [Section(z, [tile(n, z, at(x, 0)) for n, x in (("a", 0), ("b", 18), ("c", 36))]) for z in (1.0, 2.0)]
    kept = [Section(section.z, [t for t in section.tiles if t["tileId"] != "c1"]) for section in raw]
    write_stack("raw", *raw)
    write_stack("montaged", *kept, versionNotes=notes("solver.solve", "raw", match_collection="m"))
    write_stack("final", *kept, versionNotes=notes("stack.remap_zs", "montaged"))
    put_matches(
        "m",
        (("1.0", "a1"), ("1.0", "b1"), [[19, 1], [19, 5]], [[1, 1], [4, 9]]),
        (("2.0", "a2"), ("2.0", "b2"), [[19, 1], [19, 5]], [[1, 1], [1, 5]]),
        (("2.0", "b2"), ("2.0", "c2"), [[19, 1]], [[1, 1]]),
        (("1.0", "a1"), ("2.0", "a2"), [[3, 3], [5, 5]], [[3, 3], [5, 5]]),
    )
    put_matches("other", (("1.0", "a1"), ("1.0", "b1"), [[0, 0]], [[9, 9]]))
    return render
