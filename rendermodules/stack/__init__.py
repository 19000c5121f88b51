"""Stacks in order: moved, masked, levelled, merged, renumbered, repaired."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "ApplyMaskToStack": "apply_mask_to_stack",
        "ApplyTransformToStack": "apply_transform_to_stack",
        "ConsolidateTransforms": "consolidate_transforms",
        "CreateSubvolumeStack": "create_subvolume_stack",
        "EditImagePyramids": "edit_image_pyramids",
        "ManageStack": "manage_stack",
        "MergeChannels": "merge_channels",
        "MergeStacks": "merge_stacks",
        "RemapZs": "remap_zs",
        "SetStackLevels": "set_stack_levels",
        "SwapZs": "swap_zs",
    },
)
