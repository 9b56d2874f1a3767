"""PyTorch AxonML's interface: surrogate fibers over dense potentials, and callbacks that look at them.

>>> import numpy as np
>>> from pyaxonml.compat.axonml import SMF, APCount
>>> count = APCount(node_check=[-5])
>>> ve = np.zeros((200, 2, 1, 21))
>>> SMF(fp32=False).run(ve, [5.7, 10.0], callbacks=[count])
1
>>> count.numpy().shape
(2, 1)
"""

from ._callbacks import Active, APCount, Callback, Raster, Record, Recorder, ThresholdCallback
from ._fiber import SMF, Axon, Backend, Sundt

__all__ = [
    "SMF",
    "APCount",
    "Active",
    "Axon",
    "Backend",
    "Callback",
    "Raster",
    "Record",
    "Recorder",
    "Sundt",
    "ThresholdCallback",
]
