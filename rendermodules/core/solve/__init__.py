"""The global solve: transforms of all tiles at once from the matches between them.

``tiles.solved_tiles`` is the whole of it; it takes what ``options`` and ``matches`` hold and returns a ``solution``.
Below it ``stages`` (turn, place, shape); ``motions`` and ``linear``, the two kinds of models; ``rotation``,
``lens_fit``, ``regularization`` (how strongly to hold tiles, learnt), ``reweighting`` and ``cycles`` (wrong pairs),
``placement`` and ``quality``. They compute with ``moments`` in ``bases``, on a ``system`` that ``cholesky`` factorises
in the order of a ``dissection``.
"""
