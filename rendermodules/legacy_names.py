"""What has become of every runnable module of render-python-apps and asap-modules.

One table for each area that took modules over. Most old parameter files run as they are: the schemas take old keys,
with a warning (``aliases``). What is here is what they cannot know: parameters that stand for what the old module did.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_INPUT_KEYS = ("input_stack", "inputStack", "stack")


@dataclass(frozen=True)
class LegacyName:
    """What has become of one old module.

    Attributes
    ----------
    module : str or None
        The module that does its work, as area and name; None if it was dropped.
    presets : dict
        Parameters that make the module do what the old one did; those that are given win.
    renames : dict of str to str
        Old keys that mean something else in the new module, so that its schema does not take them by themselves.
    in_place : bool
        Whether the old module wrote onto its input where no output was named. The new one does so when it is told to.
    needs : tuple of str
        Parameters without an old counterpart that must be given.
    note : str
        What else is different, or why it was dropped.
    """

    module: str | None
    presets: Mapping[str, Any] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    in_place: bool = False
    needs: tuple[str, ...] = ()
    note: str = ""


_AFFINE = LegacyName("stack.apply_transform_to_stack", in_place=True)
_MERGE = LegacyName("stack.merge_stacks", note="shared transforms that are not the same in all stacks are refused")
_SECTION_IDS = LegacyName("stack.remap_zs", {"mode": "identity", "remap_sectionId": True}, in_place=True)

STACK = {
    "renderapps.stack.apply_global_affine_to_stack": _AFFINE,
    "renderapps.stack.apply_global_affine_to_stacks": LegacyName(
        "stack.apply_transform_to_stack", note="without output_prefix it always failed"
    ),
    "renderapps.refactor.apply_global_affine_to_stack": _AFFINE,
    "renderapps.obsolete.apply_ztransforms_to_render_stack": LegacyName(
        "stack.apply_transform_to_stack",
        needs=("transform_file", "transformId"),
        note="transformId is like raw_to_aligned_z_{z:f}_alignment, and transform_file holds transforms of these ids",
    ),
    "renderapps.obsolete.apply_alignment_from_render_stack": LegacyName(
        None,
        note="the transform of each section, the aligned ones after the inverse of the original ones, is written by "
        "registration modules; stack.apply_transform_to_stack applies it from a file",
    ),
    "renderapps.stack.apply_mask_to_stack": LegacyName(
        "stack.apply_mask_to_stack",
        note="maxZ, unlike maxz, is itself included; all pyramid levels are masked",
    ),
    "renderapps.stack.auto_set_stack_levels": LegacyName(
        "stack.set_stack_levels", {"mode": "auto"}, note="ten different tiles are looked at, where it was one"
    ),
    "renderapps.stack.set_stack_levels": LegacyName("stack.set_stack_levels", in_place=True),
    "renderapps.stack.concatenate_stacks": _MERGE,
    "renderapps.stack.merge_render_stacks": _MERGE,
    "renderapps.refactor.merge_render_stacks": _MERGE,
    "renderapps.stack.merge_stacks": LegacyName(
        "stack.merge_stacks",
        {"duplicates": "last"},
        note="a new stack takes its resolution from the first stack, no longer from the last; see metadata_from",
    ),
    "renderapps.stack.merge_session_stacks": LegacyName("stack.merge_channels"),
    "renderapps.stack.merge_multi_session_stacks": LegacyName("stack.merge_channels"),
    "renderapps.stack.consolidate_render_transforms": LegacyName(
        "stack.consolidate_transforms", note="shared transforms that are not affine stay shared"
    ),
    "asap.stack.consolidate_transforms": LegacyName(
        "stack.consolidate_transforms", note="shared transforms that are not affine stay shared"
    ),
    "renderapps.stack.copy_stack_metadata": LegacyName("stack.manage_stack"),
    "renderapps.stack.set_stack_resolution": LegacyName("stack.manage_stack"),
    "renderapps.stack.set_stack_state": LegacyName(
        "stack.manage_stack", note="no stack no longer means all of the project; all_stacks does"
    ),
    "renderapps.stack.create_subvolume_stack": LegacyName(
        "stack.create_subvolume_stack",
        note="intensities stay; minIntensity 1000 and maxIntensity 65000 were set without asking",
    ),
    "renderapps.stack.regex_replace_filenames": LegacyName("stack.edit_image_pyramids", in_place=True),
    "asap.stack.redirect_mipmaps": LegacyName("stack.edit_image_pyramids"),
    "rendermodules.dataimport.clone_stack_with_no_mipmaps": LegacyName("stack.edit_image_pyramids"),
    "renderapps.stack.rename_sectionIds": _SECTION_IDS,
    "renderapps.refactor.rename_sectionIds": _SECTION_IDS,
    "renderapps.stack.squeeze_stack": LegacyName("stack.remap_zs", {"mode": "squeeze"}),
    "asap.stack.remap_zs": LegacyName("stack.remap_zs", note="overwrite_zlayer removes the new z, not the old one"),
    "asap.stack.swap_zs": LegacyName(
        "stack.swap_zs",
        note="stacks are left COMPLETE unless complete_source_stack or complete_target_stack is false",
    ),
}
"""What the area ``stack`` took over."""

_FLIP = LegacyName(
    "tile.flip_tiles",
    in_place=True,
    needs=("output_directory",),
    note="new images go to output_directory, no longer beside the old ones; any transforms are mirrored rightly",
)
_FILTER = LegacyName(
    "tile.filter_tiles",
    {"vert_flip": True, "source_find": r"_flip\.tif$", "source_replace": ".tif"},
    in_place=True,
    needs=("output_directory",),
    note="the original of x_flip.tif is x.tif; source_find and source_replace say so, and suit other names too",
)

TILE = {
    "renderapps.stack.flip_stack_by_raw_image_flip": _FLIP,
    "renderapps.refactor.flip_stack_by_raw_image_flip": _FLIP,
    "renderapps.tile.create_filtered_EM_images": _FILTER,
    "renderapps.tile.create_filtered_EM_images_2": _FILTER,
}
"""What the area ``tile`` took over."""

_DELETE_STACK = LegacyName(
    "datamanagement.delete", {"whole_stacks": True}, needs=("stacks",), note="it had server and stack in its text"
)
_INVESTIGATE = LegacyName("datamanagement.compare_zs", needs=("stacks",), note="it had server and stack in its text")

DATAMANAGEMENT = {
    "renderapps.datamanagement.delete_section": LegacyName("datamanagement.delete"),
    "renderapps.datamanagement.diff_z": LegacyName("datamanagement.compare_zs"),
    "deletestack": _DELETE_STACK,
    "renderapps.obsolete.deletestack": _DELETE_STACK,
    "renderapps.stack.deletestack": _DELETE_STACK,
    "renderapps.obsolete.investigate_zvalues": _INVESTIGATE,
}
"""What the area ``datamanagement`` took over."""

_RAW_DATA_RULE = {"path_find": "raw/data", "imgformat": "jpg", "levels": 3, "convert_to_8bit": True}
_MIPMAP_FILES = LegacyName(
    "dataimport.create_mipmaps",
    {"layout": "suffix", "imgformat": "jpg", "mipmaplevels": [1, 2, 3]},
    note="pixels are averages; it took every second, fourth ... pixel or whatever its Pillow took",
)
_DOWNSAMPLE = LegacyName(
    "dataimport.generate_mipmaps",
    {**_RAW_DATA_RULE, "path_replace": "processed/downsampled_images"},
    note="an output stack that exists is not deleted first; 8-bit images no longer become black",
)
_FAST_STACKS = LegacyName(
    "dataimport.import_statetable",
    {
        "delete_stack": True,
        "maxIntensity": 50000,
        "mipmaps": {**_RAW_DATA_RULE, "path_replace": "processed/downsamp_images"},
    },
    note="reduced images are named after the files; where paths have no raw/data, mipmaps says where they go",
)
_FULL_STACK = LegacyName(
    "dataimport.import_tilespecs",
    needs=("tilespec_files", "output_stack"),
    note="its folders were in its text: tilespec_files is a pattern of the stitched tile specs, and transform_find and "
    "reference_find say how the names of their transforms and flat-field tile specs are made",
)
_SCAPES = LegacyName(
    "dataimport.make_montage_scapes_stack",
    {"z_mode": "consecutive", "scale": 0.01, "apply_scale": True, "uuid_prefix": False},
    note="the factor 20 is now 1 / scale",
)

DATAIMPORT = {
    "renderapps.dataimport.create_mipmaps": _MIPMAP_FILES,
    "renderapps.refactor.create_mipmaps": _MIPMAP_FILES,
    "renderapps.stack.mipmaps.create_mipmaps": _MIPMAP_FILES,
    "asap.dataimport.create_mipmaps": LegacyName(
        "dataimport.create_mipmaps",
        {"mipmaplevels": [1, 2, 3], "convert_to_8bit": True},
        note="the last column and row of an odd size are dropped, no longer darkened",
    ),
    "renderapps.dataimport.add_downsample_to_render_project": _DOWNSAMPLE,
    "renderapps.dataimport.add_downsample_to_render_project_v2": _DOWNSAMPLE,
    "renderapps.dataimport.add_downsample_to_render_project_v3": _DOWNSAMPLE,
    "renderapps.obsolete.add_downsample_to_render_project": LegacyName(
        "dataimport.generate_mipmaps",
        {**_RAW_DATA_RULE, "path_replace": "processed/downsampled_images"},
        needs=("input_stack",),
        note="one owner and project; to write into others use merge_stacks afterwards",
    ),
    "asap.dataimport.generate_mipmaps": LegacyName(
        "dataimport.generate_mipmaps", {"convert_to_8bit": True}, note="images that are there and whole are kept"
    ),
    "asap.dataimport.apply_mipmaps_to_render": LegacyName("dataimport.apply_mipmaps_to_render"),
    "renderapps.dataimport.create_fast_stacks": _FAST_STACKS,
    "renderapps.dataimport.create_fast_stacks_multi": LegacyName(
        "dataimport.import_statetable", {**_FAST_STACKS.presets, "multichannel": True}, note=_FAST_STACKS.note
    ),
    "renderapps.stack.append_fast_stacks": LegacyName(
        "dataimport.import_statetable",
        {**_FAST_STACKS.presets, "delete_stack": False, "maxIntensity": 65000},
        note=_FAST_STACKS.note,
    ),
    "renderapps.dataimport.upload_tilespecdir": LegacyName("dataimport.import_tilespecs"),
    "renderapps.dataimport.upload_channeltilespec": LegacyName("dataimport.import_tilespecs"),
    "renderapps.obsolete.upload_channeltilespec": LegacyName("dataimport.import_tilespecs"),
    "renderapps.obsolete.create_acquiredff_fullstack": _FULL_STACK,
    "renderapps.obsolete.create_stitched_fullstack": _FULL_STACK,
    "renderapps.dataimport.upload_tiledir": LegacyName(
        "dataimport.import_image_directory",
        {
            "file_pattern": r".*\.tif",
            "tile_id": "{index:04d}",
            "section_id": "SEC{index:04d}",
            "maxIntensity": 50000,
            "pixelsize": 103.0,
            "camera": "zyla",
            "temca": "Leica",
        },
        note="sizes are those of the images; delete_stack, which it did not heed, now does what it says",
    ),
    "renderapps.materialize.make_downsample_image_stack": _SCAPES,
    "renderapps.stack.mege_stacks": LegacyName(
        _SCAPES.module, {**_SCAPES.presets, "doFilter": False}, note=_SCAPES.note
    ),
    "renderapps.stack.mipmaps.make_downsample_image_stack": _SCAPES,
    "asap.dataimport.make_montage_scapes_stack": LegacyName("dataimport.make_montage_scapes_stack"),
    "asap.dataimport.generate_EM_tilespecs_from_metafile": LegacyName(
        "dataimport.generate_EM_tilespecs_from_metafile",
        note="maskUrl is heeded; images must exist, unless image_sizes is input",
    ),
}
"""What the area ``dataimport`` took over."""

_SOLVE = LegacyName(
    "solver.solve_transforms",
    note="pairs that contradict the others are rejected (robust), and all documents of a pair add up; files of "
    "assembled systems are neither written nor read",
)
_MATLAB = LegacyName(
    None,
    note="its parameters were those of a MATLAB program; solver.solve_transforms solves montages and whole stacks",
)

SOLVER = {
    "asap.solver.solve": _SOLVE,
    "bigfeta.bigfeta": _SOLVE,
    "asap.deprecated.montage.run_montage_job_for_section": _MATLAB,
    "asap.deprecated.rough_align.do_rough_alignment": _MATLAB,
}
"""What the area ``solver`` took over."""

_RESIDUALS = LegacyName(
    "residuals.compute_residuals",
    note="residuals count for both tiles of a pair, and rmse is a root mean square; pictures and tables go to "
    "output_directory",
)

RESIDUALS = {
    "asap.residuals.compute_residuals": _RESIDUALS,
    "bigfeta.qctools.CheckResiduals": _RESIDUALS,
    "bigfeta.qctools.CheckTransforms": _RESIDUALS,
}
"""What the area ``residuals`` took over; the first was a library."""

STITCHING = {
    "renderapps.stitching.detect_and_drop_stitching_mistakes": LegacyName(
        "stitching.detect_stitching_mistakes",
        {"edge_threshold": 1843.0},
        note="tiles are followed by their middles through all of their transforms; tiles without neighbours and what "
        "was dropped are reported",
    ),
    "renderapps.stitching.remove_outer_tiles": LegacyName(
        "stitching.detect_stitching_mistakes",
        {"min_neighbors": 4, "edge_threshold": 1843.0},
        note="it wrote all tiles; tiles with fewer than four neighbours are now really removed",
    ),
}
"""What the area ``stitching`` took over."""

_OVERLAP_PAIRS = {"mode": "overlap", "overlap_frac": 0.25, "zNeighborDistance": 10.0}
_POLYGON = LegacyName(
    "pointmatch.filter_matches_by_polygon",
    {"num_local_transforms": 0},
    note="each point is judged by the polygon of its own section; sections without one have no limits",
)
_QC_MATCHES = LegacyName("pointmatch.qc_point_matches")
_SWEEP_MATCHING = LegacyName(
    "pointmatch.optimize_point_matching",
    {"method": "sift"},
    note="matching is tried in memory: no stack and no collections are written",
)

POINTMATCH = {
    "renderapps.pointmatch.consolidate_pointmatches_across_channels": LegacyName(
        "pointmatch.merge_match_collections", note="pairs of the first collection alone are written too"
    ),
    "renderapps.pointmatch.copy_pointmatch_by_frame": LegacyName(
        "pointmatch.remap_matches",
        {"match_by": "frame"},
        {"output_stack": "target_stack"},
        note="each tile is found by the number in its file's name, no longer by one offset of tile ids for a section",
    ),
    "renderapps.pointmatch.tilepairs": LegacyName(
        "pointmatch.create_tilepairs", _OVERLAP_PAIRS, note="it was a library of the two modules for pairs by overlap"
    ),
    "renderapps.pointmatch.create_tilepairs_for_single_z": LegacyName(
        "pointmatch.create_tilepairs",
        _OVERLAP_PAIRS,
        {"dz": "zNeighborDistance"},
        note="p and q stand in Render's order; overlaps are parts of the smaller tile",
    ),
    "renderapps.pointmatch.create_tilepairs_for_across_z_break": LegacyName(
        "pointmatch.create_tilepairs",
        {**_OVERLAP_PAIRS, "mode": "z_break"},
        {"dz": "zNeighborDistance", "z": "break_z"},
        note="p and q stand in Render's order; overlaps are parts of the smaller tile",
    ),
    "renderapps.registration.find_principal_tile_overlaps": LegacyName(
        "pointmatch.create_tilepairs",
        {"mode": "cross_stack", "principal_only": True, "overlap_frac": 0.0},
        {"ref_stack": "target_stack"},
        note="the file has Render's form; tiles without a partner are counted and no failure",
    ),
    "renderapps.pointmatch.make_point_match_plots": LegacyName(
        "pointmatch.plot_point_matches",
        {"kind": "quiver", "dz": 10.0},
        note="figures go to figure_dir itself",
    ),
    "renderapps.pointmatch.map_pointmatch_forward": LegacyName(
        "pointmatch.remap_matches",
        {"from_num_local_transforms": 0, "to_num_local_transforms": 1},
        {"num_transforms": "to_num_local_transforms"},
    ),
    "renderapps.pointmatch.qc_point_match_results": _QC_MATCHES,
    "renderapps.registration.make_synthetic_cross_stack_point_matches": LegacyName(
        "pointmatch.create_synthetic_matches",
        {"pattern": "tile", "num_local_transforms": 0},
        {"local_transforms": "num_local_transforms"},
        needs=("input_stack", "target_stack"),
        note="pairs without a point are left out; the stacks are given, the pair file need not name them",
    ),
    "renderapps.stitching.create_montage_pointmatches_in_place": LegacyName(
        "pointmatch.create_synthetic_matches",
        {"num_local_transforms": 0},
        note="all tiles of a section that overlap are paired; minZ and maxZ are themselves included",
    ),
    "renderapps.section_polygons.filter_pointmatches_with_polygons": _POLYGON,
    "renderapps.section_polygons.filter_pointmatches_with_coordpolygon": _POLYGON,
    "renderapps.wrinkle_detection.point_match_based_tile_splitting": LegacyName(
        None, note="it read a tile and its matches and did nothing with them"
    ),
    "asap.pointmatch.create_tilepairs": LegacyName("pointmatch.create_tilepairs"),
    "asap.pointmatch.generate_point_matches_spark": LegacyName("pointmatch.generate_point_matches_spark"),
    "asap.pointmatch.generate_point_matches_qsub": LegacyName(
        "pointmatch.generate_point_matches_spark",
        {"launcher": "qsub", "queue": "connectome"},
        {"queue_name": "queue"},
        needs=("sparkhome",),
        note="the job script gets its values in the environment; the folder of the logs is the script's affair",
    ),
    "asap.pointmatch.generate_point_matches_opencv": LegacyName(
        "pointmatch.generate_point_matches",
        {
            "method": "sift",
            "num_local_transforms": 0,
            "search": "anywhere",
            "renderScale": 0.3,
            "matchRod": 0.7,
            "matchMaxEpsilon": 5.0,
            "matchMaxNumInliers": 1000,
        },
        {
            "downsample_scale": "renderScale",
            "ratio_of_dist": "matchRod",
            "RANSAC_outlier": "matchMaxEpsilon",
            "matchMax": "matchMaxNumInliers",
        },
        note="one model for each pair instead of a homography for each block; features are found once for each tile",
    ),
    "asap.pointmatch.swap_point_match_collections": LegacyName(
        "pointmatch.swap_matches", note="pairs go along whichever of their tiles comes first"
    ),
    "asap.pointmatch_filter.filter_point_matches": LegacyName(
        "pointmatch.filter_point_matches",
        {"pairs": "within", "reset_weights": True},
        note="inverse_weighting leaves rejected pairs at weight 0; all pairs are written, changed or not",
    ),
    "asap.point_match_optimization.pt_match_optimization": _SWEEP_MATCHING,
    "asap.point_match_optimization.point_match_optimization": _SWEEP_MATCHING,
    "asap.point_match_optimization.pt_match": _SWEEP_MATCHING,
    "asap.em_montage_qc.pre_check_rough_data": LegacyName(
        "pointmatch.qc_point_matches", {"single_tiles": True}, needs=("input_stack", "input_collections")
    ),
    "asap.point_match_qc.find_missing_tile_pairs": _QC_MATCHES,
    "asap.point_match_qc.show_point_matches_network": LegacyName("pointmatch.plot_point_matches", {"kind": "counts"}),
    "asap.fine_align.create_3d_tilepairs": LegacyName(
        "pointmatch.create_tilepairs",
        {"mode": "overlap", "overlap_frac": 0.0, "min_overlap_area": 50_000.0},
        note="contours of what tiles share are not written; matching finds it by itself",
    ),
    "bigfeta.qctools.CheckPointMatches": LegacyName(
        None, note="pointmatch.plot_point_matches of kind counts draws it, with parameters of its own"
    ),
}
"""What the area ``pointmatch`` took over."""

LEGACY_NAMES: Mapping[str, LegacyName] = {
    **DATAIMPORT,
    **STACK,
    **TILE,
    **DATAMANAGEMENT,
    **POINTMATCH,
    **SOLVER,
    **RESIDUALS,
    **STITCHING,
}
"""Every old name."""


def find_legacy_name(name: str) -> tuple[str, LegacyName]:
    """Return an old module's full name and what has become of it.

    Parameters
    ----------
    name : str
        With its package, or its last part where only one module was called so. asap-modules was called rendermodules
        once, so that ``rendermodules.stack.redirect_mipmaps`` is found too.

    Raises
    ------
    LookupError
        No module was called so, or several; the message names the nearest.
    """
    spellings = (name, name.replace("rendermodules.", "asap.", 1))
    for spelling in spellings:
        if spelling in LEGACY_NAMES:
            return spelling, LEGACY_NAMES[spelling]
    found = [old for old in LEGACY_NAMES if old.rpartition(".")[2] == name]
    if found and len({LEGACY_NAMES[old].module for old in found}) == 1:
        return found[0], LEGACY_NAMES[found[0]]
    near = found or difflib.get_close_matches(name, LEGACY_NAMES, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise LookupError(f"no old module is called {name}{hint}")


def translated(name: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the module that does an old one's work, and the parameters that make it do so.

    Old keys that the schema of the module takes are left to it.

    Parameters
    ----------
    name : str
        See `find_legacy_name`.
    parameters : dict
        Those of the old module.

    Returns
    -------
    str, dict
        Area and name of the module, and its parameters; those of ``needs`` may still be missing.

    Raises
    ------
    LookupError
        There was no such module, or nothing does its work; the message says why.
    """
    old, legacy = find_legacy_name(name)
    if legacy.module is None:
        raise LookupError(f"{old} was dropped: {legacy.note}")
    renamed = {legacy.renames.get(key, key): value for key, value in parameters.items()}
    filled = {**legacy.presets, **renamed}
    if legacy.in_place and not filled.keys() & {"output_stack", "outputStack"}:
        source = next((filled[key] for key in _INPUT_KEYS if key in filled), None)
        filled = filled if source is None else {**filled, "output_stack": source}
    return legacy.module, filled
