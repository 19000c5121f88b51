"""Images drawn onto canvases: what is quick, what is exact, and what Java does.

``layers`` is the way in. It draws 8-bit images under one affine with OpenCV (``affine``), everything else triangle by
triangle and span by span (``spans``, or ``span_kernels``, which is the same compiled). ``java_kernels`` follows the
Java renderer to the last bit.
"""

from rendermodules.core.rasterising.layers import Layer, draw_layers, load_kernels

__all__ = ["Layer", "draw_layers", "load_kernels"]
