"""What the radar measures: backscatter and its units, speckle and its filters, and the way from a
GRD product to an image.

What is handed on is listed in ``__init__.pyi`` and loads when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
