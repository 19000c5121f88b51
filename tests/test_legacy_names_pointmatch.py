"""Old parameter files of point matches run under the modules that took over."""

import warnings

import pytest

from rendermodules.legacy_names import LEGACY_NAMES, POINTMATCH, translated
from rendermodules.module import catalogue

RENDER = {"host": "render.db", "port": 8080, "owner": "me", "project": "p", "client_scripts": "/x", "memGB": "5G"}
_PAIRS = {"stack": "a", "tilepair_output": "pairs.json", "dz": 5, "radius": 0.1, "overlap_frac": 0.3, "pool_size": 20}
_SPARK = {
    "jarfile": "/clients.jar",
    "className": "org.janelia.render.client.spark.SIFTPointMatchClient",
    "sparkhome": "/spark",
    "masterUrl": "spark://x:7077",
    "driverMemory": "6g",
    "baseDataUrl": "http://x/render-ws/v1",
    "owner": "me",
    "collection": "found",
    "pairJson": "pairs.json",
    "SIFTfdSize": 8,
    "SIFTminScale": 0.38,
    "renderWithFilter": True,
    "maxFeatureCacheGb": 15,
}
_SWEEP = {
    "stack": "a",
    "tile_stack": None,
    "tilepair_file": "pairs.json",
    "no_tilepairs_to_test": 4,
    "filter_tilepairs": False,
    "max_tilepairs_with_matches": 0,
    "numberOfThreads": 5,
    "outputDirectory": "trials",
    "pool_size": 10,
    "url_options": {"normalizeForMatching": True},
    "SIFT_options": {"SIFTfdSize": [8], "SIFTmaxScale": [0.85], "matchMaxEpsilon": [20], "renderScale": [0.35, 0.5]},
}

# the parameters that the old modules took; None for those that were dropped
OLD_FILES = {
    "renderapps.pointmatch.consolidate_pointmatches_across_channels": {
        "input_collection_list": "a,b",
        "output_collection": "c",
        "reference_channel": "DAPI",
        "pool_size": 20,
    },
    "renderapps.pointmatch.copy_pointmatch_by_frame": {
        "input_matchcollection": "m",
        "output_matchcollection": "n",
        "input_stack": "a",
        "output_stack": "b",
        "pool_size": 20,
    },
    "renderapps.pointmatch.tilepairs": {"input_stack": "a", "output_dir": "pairs"},
    "renderapps.pointmatch.create_tilepairs_for_single_z": {**_PAIRS, "z": 100, "queryParameters": {}},
    "renderapps.pointmatch.create_tilepairs_for_across_z_break": {**_PAIRS, "z": 100},
    "renderapps.registration.find_principal_tile_overlaps": {
        "ref_stack": "b",
        "stack": "a",
        "tilepair_output": "pairs.json",
        "pool_size": 20,
    },
    "renderapps.pointmatch.make_point_match_plots": {
        "stack": "a",
        "matchcollection": "m",
        "figdir": "figures",
        "minZ": 0,
        "maxZ": 10,
        "pool_size": 20,
    },
    "renderapps.pointmatch.map_pointmatch_forward": {
        "stack": "a",
        "src_matchcollection": "m",
        "dst_matchcollection": "n",
        "num_transforms": 2,
    },
    "renderapps.pointmatch.qc_point_match_results": {
        "matchcollections": ["m", "n"],
        "input_tilepairfile": "pairs.json",
        "output_tilepairfile": "again.json",
        "figdir": "figures",
        "min_matches": 7,
        "pool_size": 20,
    },
    "renderapps.registration.make_synthetic_cross_stack_point_matches": {
        "tile_pair_file": "pairs.json",
        "matchcollection": "m",
        "grid_size": 8,
        "local_transforms": 1,
        "pool_size": 20,
    },
    "renderapps.stitching.create_montage_pointmatches_in_place": {
        "stack": "a",
        "matchCollection": "m",
        "minZ": 1,
        "maxZ": 2,
        "dataRoot": "/x",
        "delta": 120,
    },
    "renderapps.section_polygons.filter_pointmatches_with_polygons": {
        "stack": "a",
        "polygon_dir": "polygons",
        "matchcollection": "m",
        "targetmatchcollection": "n",
    },
    "renderapps.section_polygons.filter_pointmatches_with_coordpolygon": {
        "stack": "a",
        "minX": 0,
        "minY": 0,
        "maxX": 10,
        "maxY": 10,
        "matchcollection": "m",
        "targetmatchcollection": "n",
    },
    "renderapps.wrinkle_detection.point_match_based_tile_splitting": None,
    "asap.pointmatch.create_tilepairs": {
        "stack": "a",
        "baseStack": "b",
        "minZ": 1,
        "maxZ": 2,
        "xyNeighborFactor": 0.9,
        "zNeighborDistance": 2,
        "excludeCornerNeighbors": True,
        "excludeSameLayerNeighbors": False,
        "excludeCompletelyObscuredTiles": True,
        "useRowColPositions": False,
        "output_dir": "pairs",
        "memGB": "6G",
    },
    "asap.pointmatch.generate_point_matches_spark": {**_SPARK, "spark_conf": {"spark.x": "y"}},
    "asap.pointmatch.generate_point_matches_qsub": {
        **{key: value for key, value in _SPARK.items() if key != "sparkhome"},
        "pbs_template": "job.pbs",
        "no_nodes": 10,
        "ppn": 30,
        "logdir": "/logs",
    },
    "asap.pointmatch.generate_point_matches_opencv": {
        "ndiv": 8,
        "matchMax": 500,
        "SIFT_nfeature": 20000,
        "SIFT_noctave": 3,
        "SIFT_sigma": 1.5,
        "FLANN_ntree": 5,
        "FLANN_ncheck": 50,
        "pairJson": "pairs.json",
        "input_stack": "a",
        "match_collection": "m",
        "ncpus": -1,
    },
    "asap.pointmatch.swap_point_match_collections": {
        "match_owner": "me",
        "source_collection": "m",
        "target_collection": "n",
        "zValues": [1, 2],
        "pool_size": 5,
    },
    "asap.pointmatch_filter.filter_point_matches": {
        "input_stack": "a",
        "input_match_collection": "m",
        "output_match_collection": None,
        "resmax": 5.0,
        "transmax": 500.0,
        "filter_output_file": "filtered.json",
        "inverse_weighting": True,
        "minZ": 1,
        "maxZ": 2,
        "pool_size": 1,
    },
    "asap.point_match_optimization.pt_match_optimization": _SWEEP,
    "asap.point_match_optimization.point_match_optimization": _SWEEP,
    "asap.point_match_optimization.pt_match": _SWEEP,
    "asap.em_montage_qc.pre_check_rough_data": {},
    "asap.point_match_qc.find_missing_tile_pairs": {"input_collections": ["m"]},
    "asap.point_match_qc.show_point_matches_network": {
        "input_stack": "a",
        "match_collection": "m",
        "figure_dir": "figures",
    },
    "asap.fine_align.create_3d_tilepairs": {"input_stack": "a", "output_dir": "pairs", "zNeighborDistance": 3},
    "bigfeta.qctools.CheckPointMatches": None,
}
GIVEN = {"sparkhome": "/spark", "input_stack": "a", "target_stack": "b", "input_collections": ["m"]}


def args_of(name, folder):
    for file in ("pairs.json", "job.pbs"):
        (folder / file).touch()
    (folder / "polygons").mkdir(exist_ok=True)
    legacy = LEGACY_NAMES[name]
    module, parameters = translated(name, {"render": RENDER, **OLD_FILES[name]})
    parameters.update({key: GIVEN[key] for key in legacy.needs})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return catalogue.find_module(module).load()(parameters).args


def test_every_name_of_the_area_is_tried():
    assert set(OLD_FILES) == set(POINTMATCH)


@pytest.mark.parametrize("name", OLD_FILES)
def test_an_old_file_runs_under_the_new_module(name, tmp_path, monkeypatch):
    if OLD_FILES[name] is None:
        assert LEGACY_NAMES[name].module is None
        return
    monkeypatch.chdir(tmp_path)
    args = args_of(name, tmp_path)
    given = {*OLD_FILES[name], *(LEGACY_NAMES[name].renames.get(key) for key in OLD_FILES[name])}
    aliases = catalogue.find_module(LEGACY_NAMES[name].module).load().default_schema.all_aliases()
    given |= {aliases.get(key) for key in OLD_FILES[name]}
    for key in LEGACY_NAMES[name].presets.keys() - given:
        assert args[key] == LEGACY_NAMES[name].presets[key]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("copy_pointmatch_by_frame", {"target_stack": "b", "output_collection": "n", "match_by": "frame"}),
        ("create_tilepairs_for_single_z", {"z": 100, "zNeighborDistance": 5, "overlap_frac": 0.3, "mode": "overlap"}),
        ("create_tilepairs_for_across_z_break", {"break_z": 100, "z": None, "mode": "z_break"}),
        ("find_principal_tile_overlaps", {"target_stack": "b", "input_stack": "a"}),
        ("map_pointmatch_forward", {"from_num_local_transforms": 0, "to_num_local_transforms": 2}),
        ("make_synthetic_cross_stack_point_matches", {"num_local_transforms": 1, "pairJson": ["pairs.json"]}),
        ("generate_point_matches_opencv", {"matchMaxNumInliers": 500, "renderScale": 0.3, "SIFTsteps": 3}),
        ("generate_point_matches_qsub", {"nodes": 10, "queue": "connectome", "match_owner": "me"}),
        ("filter_point_matches", {"input_collection": "m", "output_collection": None, "resmax": 5}),
        ("pt_match_optimization", {"n_pairs": 4, "output_dir": "trials", "sweep": _SWEEP["SIFT_options"]}),
        ("filter_pointmatches_with_polygons", {"output_collection": "n", "num_local_transforms": 0}),
    ],
)
def test_old_values_are_not_lost(name, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (full,) = (old for old in POINTMATCH if old.endswith(f".{name}"))
    args = args_of(full, tmp_path)
    assert {key: args[key] for key in expected} == expected
