"""Synthetic serial sections with known truth: made, and compared with what came of them."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__, {"CreateSyntheticImages": "create_synthetic_images", "EvaluateStack": "evaluate_stack"}
)
