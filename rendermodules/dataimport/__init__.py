"""Images, tables and metadata of microscopes into stacks, and pyramids of their images."""

from rendermodules.module.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "ApplyMipmapsToRender": "apply_mipmaps_to_render",
        "CreateMipmaps": "create_mipmaps",
        "GenerateEMTilespecsFromMetafile": "generate_EM_tilespecs_from_metafile",
        "GenerateMipmaps": "generate_mipmaps",
        "ImportImageDirectory": "import_image_directory",
        "ImportOme": "import_ome",
        "ImportSerialem": "import_serialem",
        "ImportStatetable": "import_statetable",
        "ImportTilespecs": "import_tilespecs",
        "MakeMontageScapesStack": "make_montage_scapes_stack",
    },
)
