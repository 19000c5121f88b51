"""The global solve: transforms of all tiles at once from the matches between them.

``tiles.solved_tiles`` is the whole of it. Below it, from the top: ``stages`` (turn, place, shape), ``motions`` and
``linear`` (the two kinds of models), ``lens_fit``, ``regularization`` (how strongly to hold tiles, learnt),
``reweighting`` and ``cycles`` (wrong pairs), ``rotation``; then what they compute with: ``matches``, ``moments``,
``bases``, ``system``, ``cholesky`` and ``dissection``.
"""
