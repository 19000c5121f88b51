"""How well tiles bring their matches together."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "ComputeResiduals": "compute_residuals",
    },
)
