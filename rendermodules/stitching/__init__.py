"""From tiles to montages in one call, and what may be wrong with them."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "DetectStitchingMistakes": "detect_stitching_mistakes",
        "StitchSection": "stitch_section",
    },
)
