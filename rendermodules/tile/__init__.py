"""New images for the tiles of a stack."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "FilterTiles": "filter_tiles",
        "FlipTiles": "flip_tiles",
        "MaskFilledBorders": "mask_filled_borders",
    },
)
