"""Point matches: which tiles to compare, what they have in common, and whether it can be believed."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "CreateSyntheticMatches": "create_synthetic_matches",
        "CreateTilepairs": "create_tilepairs",
        "FilterMatchesByPolygon": "filter_matches_by_polygon",
        "FilterPointMatches": "filter_point_matches",
        "GeneratePointMatches": "generate_point_matches",
        "MergeMatchCollections": "merge_match_collections",
        "PlotPointMatches": "plot_point_matches",
        "QcPointMatches": "qc_point_matches",
        "RemapMatches": "remap_matches",
        "SwapMatches": "swap_matches",
    },
)
