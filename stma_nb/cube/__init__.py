"""The season cube: one xarray.Dataset of bands over dates, for one area and one growing season.

A season has the dimensions ``(time, y, x)`` and holds

* one or more bands (time, y, x), NaN where there is no data: ``vv``, ``vh``, ``hh``, ``hv`` are
  float32 backscatter as linear power (``attrs["quantity"]`` says sigma0 or gamma0); any other name
  is taken as it is, in its own units;
* ``time``: acquisition times, strictly increasing; ``y``, ``x``: projected pixel centres in metres;
  the CRS (rioxarray);
* optionally ``crop`` (y, x): class codes 0 .. K-1 with their legend in the attributes (``flags``),
  ``UNKNOWN`` (255) where nobody knows the class,
  ``parcel`` (y, x): parcel number, 0 = none, ``incidence_angle`` (y, x) in degrees, and
  ``relative_orbit`` (time).

Everything is lazy: a season opened here is Dask-backed and may be larger than memory. What is
handed on is listed in ``__init__.pyi`` and loads when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
