"""The transforms of all tiles at once from the matches between them."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "SolveTransforms": "solve_transforms",
        "SweepRegularization": "sweep_regularization",
    },
)
