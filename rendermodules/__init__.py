"""Processing modules for electron microscopy and array tomography on the Render data model."""

__version__ = "0.1.0"
