"""The frame on which every module stands; the only place that knows argschema's inside."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "ImportModule": "import_module",
        "PlainModule": "plain_module",
        "RenderModule": "render_module",
        "SectionMapModule": "render_module",
        "TemplateModule": "template_module",
        "TileImageModule": "tile_image_module",
        "connect": "connection",
    },
)
