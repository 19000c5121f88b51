"""Volumes and pictures out of stacks."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(__name__, {"RenderVolume": "render_volume"})
