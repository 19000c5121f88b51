"""The examples run as they stand, one after the other, on synthetic sections."""

import json
from pathlib import Path

import pytest

from rendermodules.core.match_names import NamePatterns
from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings
from rendermodules.module import stacks
from rendermodules.module.catalogue import find_module, modules
from rendermodules.module.connection import connect
from rendermodules.module.matches import all_matches, collection_names, match_collection, write_matches

EXAMPLES = Path(__file__).parents[2] / "example_json" / "pointmatch"
SETTINGS = SyntheticSettings(
    sections=2, rows=2, columns=2, first_z=1.0, tile_width=288, tile_height=288, overlap=0.2, lens_distortion=1.0
)
# generate_point_matches_spark needs a cluster
CHAIN = (
    "create_tilepairs",
    "generate_point_matches",
    "qc_point_matches",
    "filter_point_matches",
    "filter_matches_by_polygon",
    "plot_point_matches",
    "optimize_point_matching",
    "create_synthetic_matches",
    "swap_matches",
    "merge_match_collections",
    "remap_matches",
)


@pytest.fixture
def acquired(tmp_path, monkeypatch, pictured):
    """The stack of the examples, with a lens correction."""
    monkeypatch.chdir(tmp_path)
    render = connect({"host": "render.db", "owner": "demo", "project": "example"})
    sections = pictured(SETTINGS, "true")
    with stacks.written_stack(render, "acquired", version={}, close=True):
        for section in sections:
            tiles = [{**tile, "layout": {**tile["layout"], "sectionId": f"{section.z:.1f}"}} for tile in section.tiles]
            stacks.write_section(render, "acquired", Section(section.z, tiles, section.transforms))
    return render


def copied(render, name, patterns=None):
    """Copy the matches that the examples have found into another collection."""
    found = all_matches(match_collection(render, "acquired_montage"))
    new = [one if patterns is None else patterns.renamed(one) for one in found]
    write_matches(match_collection(render, name), new)


def run(name):
    example = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return find_module(f"pointmatch.{name}").load()(input_data=example).run()


def test_the_chain_names_all_modules():
    there = {entry.name for entry in modules() if entry.area == "pointmatch"}
    assert there == {*CHAIN, "generate_point_matches_spark"}


def test_examples_run_as_they_stand(acquired):
    results = {name: run(name) for name in CHAIN[:2]}
    assert results["generate_point_matches"]["pairs_matched"] == 8
    for name in ("acquired_montage_again", "raw_matches"):
        copied(acquired, name)
    copied(acquired, "dapi_matches", NamePatterns(id_find="$", id_replace="_DAPI"))
    copied(acquired, "psd95_matches", NamePatterns(id_find="$", id_replace="_PSD95"))
    results |= {name: run(name) for name in CHAIN[2:]}
    for name, result in results.items():
        assert result["provenance"]["module"] == f"rendermodules.pointmatch.{name}"
    assert results["qc_point_matches"]["pairs_missing"] == 0
    assert len(results["qc_point_matches"]["components"]) == 2
    assert results["filter_point_matches"]["dropped"] == {}
    assert 0 < results["filter_matches_by_polygon"]["match_count"] < results["filter_point_matches"]["match_count"]
    assert len(results["plot_point_matches"]["files"]) == 2
    assert results["optimize_point_matching"]["combinations"][0]["pairs_matched"] == 4
    assert results["create_synthetic_matches"]["pairs_matched"] == 12
    assert results["swap_matches"]["swapped_zs"] == [1]
    assert results["merge_match_collections"]["pairs_written"] == 8
    assert results["remap_matches"]["pairs_written"] == 8
    assert collection_names(acquired)["all_channels"] == 8
