"""How long a report takes, beside matplotlib alone drawing the same figures; its size.

A made-up run of many test windows of regions, scored with few resamples, which is not timed. `--windows` sets
how many.
"""

import argparse
import tempfile
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np

from flarecast.evaluate import evaluate
from flarecast.files import write_json
from flarecast.report import write_report
from flarecast.report.canvas import SETTINGS, as_bytes
from flarecast.run_folder import RunFolder
from flarecast.schema import FORECASTS, ROLES, build, save

DAY = 86_400
START = 1_230_768_000
PER_REGION = 12


def make_run(folder: Path, n: int) -> RunFolder:
    """A run of n test windows whose probabilities are true, with two events."""
    rng = np.random.default_rng(0)
    region = np.repeat(np.arange(-(-n // PER_REGION)), PER_REGION)[:n]
    issued = START + np.sort(rng.integers(0, 3650, n)) * DAY
    strong = rng.beta(0.3, 6, region.max() + 1)[region]
    probability = np.stack([strong, strong**2], axis=1)
    occurred = (rng.random((n, 1)) < probability).astype(np.int8)
    named = np.array([f"SIM {one}" for one in region], dtype=object)
    arrays = {
        **{"event": ("M1.0", "X1.0"), "probability": probability, "probability_raw": probability},
        **{"occurred": occurred, "issue_time": issued, "valid_from": issued, "valid_to": issued + DAY},
        **{"region": named, "cluster": named, "role": np.full(n, ROLES.index("test")), "fold": np.zeros(n)},
        **{"longitude": rng.uniform(-90, 90, n), "peak_flux": occurred[:, 0] * 1e-5},
        **{"peak_flux_upper": np.where(occurred[:, 0], 1e-5, 9.9e-6)},
    }
    attributes = {"forecast_name": "model", "history": "made up", "source": "made up", "horizon_hours": 24.0}
    forecasts = build(FORECASTS, arrays, attributes)
    run = RunFolder(folder)
    save(forecasts, run.calibrated, FORECASTS)
    write_json(run.scores, evaluate(forecasts, rng=rng, resamples=100, run="bench"))
    return run


def main() -> None:
    """Print seconds, their ratio to drawing alone, and megabytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=100_000)
    n = parser.parse_args().windows
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder), n)
        start = time.process_time()
        panels = write_report(run)
        whole = time.process_time() - start
        start = time.process_time()
        with mpl.rc_context(SETTINGS):
            for panel in panels:
                if panel.figure is not None:
                    as_bytes(panel.figure, "svg")
                    as_bytes(panel.figure, "pdf")
        alone = time.process_time() - start
        size = run.report.stat().st_size / 1e6
    drawn = sum(panel.figure is not None for panel in panels)
    print(f"{n:,} windows, {drawn} figures: {whole:.1f} s of one core, {whole / alone:.1f} of matplotlib")
    print(f"writing the same figures; report.html {size:.2f} MB")


if __name__ == "__main__":
    main()
