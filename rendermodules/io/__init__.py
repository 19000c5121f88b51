"""Files and nothing else: paths, images, pyramids, tables."""
