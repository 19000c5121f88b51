"""What there is in stacks, and what shall no longer be."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "CompareZs": "compare_zs",
        "Delete": "delete",
    },
)
