"""Which windows belong to one region, whatever it is called."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

DISK = "disk"
"""Region of a track that is the whole Sun; it lives for decades and lies in every role."""


def is_disk(windows: xr.Dataset) -> NDArray[np.bool_]:
    """Whether each window is one of the whole disk, shape (window,)."""
    return np.asarray(windows["region"].values == DISK, dtype=np.bool_)


def linked_regions(windows: xr.Dataset) -> NDArray[np.int64]:
    """Number of the linked region of each window, from 0, shape (window,).

    Windows are linked by the name of their region and by every NOAA number known for it, step by step: two
    HARPs that share a NOAA region are one. `NOAA 11429` as a name is the number 11429. NOAA numbers of the
    disk link nothing.
    """
    codes: dict[tuple[str, str], int] = {}
    names, numbers = windows["region"].values, windows["noaa_regions"].values
    pairs = zip(names, numbers, strict=True)
    code = np.fromiter((codes.setdefault(pair, len(codes)) for pair in pairs), np.int64, names.size)
    nodes: dict[str, int] = {}
    node_of_code, edges = [], []
    for name, text in codes:
        node = nodes.setdefault(name, len(nodes))
        node_of_code.append(node)
        known = [] if name == DISK else [number.strip() for number in text.split(",") if number.strip()]
        edges += [(node, nodes.setdefault(f"NOAA {number}", len(nodes))) for number in known]
    if not nodes:
        return code
    start, stop = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(start.size, dtype=np.int8), (start, stop)), shape=(len(nodes), len(nodes)))
    component = connected_components(graph, directed=False)[1]
    return np.asarray(component, dtype=np.int64)[np.array(node_of_code, dtype=np.int64)][code]
