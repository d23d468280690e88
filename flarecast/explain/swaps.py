"""Whose series stands in for whose: whole regions swapped, so that what is put in stays coherent."""

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

IntArray = NDArray[np.int64]


def swap_regions(cluster: NDArray[np.object_], issue_time: IntArray, rng: np.random.Generator) -> IntArray:
    """Give every window another one, of another region, so that each is given once.

    The regions are laid one behind the other in random order, the windows of each in time, and the whole ring
    is turned by a random number of windows that no region is longer than. So neighbours get neighbours:
    windows dealt out one by one would put a jump between each two near copies, which no data show.

    Args:
        cluster: Region (of the disk: rotation) of each window, shape (window,).
        issue_time: UTC [s since 1970], shape (window,).
        rng: Source of order and turn.

    Returns:
        Index of the window whose series is put in, a permutation, shape (window,).

    Raises:
        FlarecastError: There is but one region, or one holds more than half of all windows.
    """
    _, code, count = np.unique(cluster.astype(str), return_inverse=True, return_counts=True)
    n, longest = code.size, int(count.max(initial=0))
    if 2 * longest > n:
        raise FlarecastError(
            "permutation: expected several regions (of the disk: rotations), none with more than half of "
            f"the windows, got {count.size} with {longest:,} of {n:,} windows in one; name a larger role"
        )
    ring = np.lexsort((issue_time, rng.permutation(count.size)[code]))
    donor = np.empty(n, dtype=np.int64)
    donor[ring] = np.roll(ring, int(rng.integers(longest, n - longest + 1)))
    return donor
