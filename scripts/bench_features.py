"""How long window statistics take on one core, beside NumPy's NaN functions and SciPy window by window.

    python scripts/bench_features.py [--windows 100000] [--steps 60] [--features 24] [--missing 0.0 0.05]

The alternative computes the same statistics for some hundred windows and is extrapolated to all.
"""

import argparse
import time

import numpy as np
from scipy import stats

from flarecast.features import CHANGES, STATISTICS, window_statistics

LIMIT_SECONDS = 5.0
LOOPED = 300


def one_window(steps: np.ndarray) -> np.ndarray:
    """Statistics of one complete window, as a script would have them."""
    wide = steps.astype(np.float64)
    clock = np.linspace(0, 1, len(wide))
    final = len(wide) - 1
    spans = [min(final, max(1, round(share * final))) for share in CHANGES.values()]
    return np.stack(
        [
            wide[-1],
            np.nanmean(wide, axis=0),
            np.nanstd(wide, axis=0),
            np.nanmin(wide, axis=0),
            np.nanmax(wide, axis=0),
            np.polyfit(clock, np.nan_to_num(wide), 1)[0],
            stats.skew(wide, axis=0, nan_policy="omit"),
            stats.kurtosis(wide, axis=0, nan_policy="omit"),
            np.isnan(wide).mean(axis=0),
            *(wide[-1] - wide[final - span] for span in spans),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--features", type=int, default=24)
    parser.add_argument("--missing", type=float, nargs="+", default=[0.0, 0.05])
    size = parser.parse_args()
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(size.windows, size.steps, size.features)).astype(np.float32)
    slow = False
    for share in size.missing:
        steps[rng.random(steps.shape, dtype=np.float32) < share] = np.nan
        start = time.process_time()
        found = window_statistics(steps)
        own = time.process_time() - start
        start = time.process_time()
        looped = np.stack([one_window(window) for window in steps[:LOOPED]])
        loop = (time.process_time() - start) / LOOPED * size.windows
        if not share:
            np.testing.assert_allclose(found[:LOOPED], looped, rtol=1e-9, atol=1e-9)
        print(
            f"window statistics: {len(STATISTICS)} of {size.windows:,} windows of {size.steps} x "
            f"{size.features}, {share:.0%} missing: {own:.2f} s of one core (limit {LIMIT_SECONDS:.0f} s); "
            f"NumPy and SciPy window by window, extrapolated from {LOOPED}: {loop:.0f} s, {loop / own:.0f} x"
        )
        slow |= own > LIMIT_SECONDS
    return int(slow)


if __name__ == "__main__":
    raise SystemExit(main())
