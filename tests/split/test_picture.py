"""The picture of a split: one fold or several, the same bytes twice, colours that differ in grey."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from flarecast.describe import plot_split
from flarecast.describe.colours import ROLE_COLOURS, ROLE_HATCHES
from flarecast.describe.split_picture import draw_split
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split import make_split

STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("kind", STARTS)
def test_a_split_is_drawn_the_same_twice(kind, regions, tmp_path):
    split = make_split(regions, "by_cycle", rng())
    pictures = []
    for name in ("one", "other"):
        out = tmp_path / f"{name}.{kind}"
        plot_split(regions, split, out, "X1.0")
        pictures.append(out.read_bytes())
    assert pictures[0].startswith(STARTS[kind])
    assert pictures[0] == pictures[1]


def test_a_picture_names_roles_folds_embargo_and_counts(regions, tmp_path):
    sunspots = tmp_path / "SN_m_tot_V2.0.csv"
    sunspots.write_text("1999;06;1999.45; 120.1; -1.0; -1;1\n1999;07;1999.54; 130.2; -1.0; -1;1\n")
    split = make_split(regions, "rolling_origin", rng(), options={"folds": 3})
    plot_split(regions, split, tmp_path / "split.svg", "X1.0", sunspots)
    drawn = (tmp_path / "split.svg").read_text()
    n_tested = (split["role"].values == ROLES.index("test")).sum(axis=1)
    names = split.attrs["fold_names"].splitlines()
    wanted = (*names, *(f"test {n}" for n in n_tested), "embargo 72 h", "WDC-SILSO", "calibration")
    for words in wanted:
        assert words in drawn


@pytest.mark.parametrize(("strategy", "n"), [("by_region", 0), ("by_cycle", 3), ("random_windows", 0)])
def test_every_kind_of_split_can_be_drawn(strategy, n, regions, tmp_path):
    split = make_split(regions, strategy, rng(), out_of_fold=n)
    plot_split(regions, split, tmp_path / "split.png")
    assert (tmp_path / "split.png").stat().st_size > 10_000


def test_one_day_of_windows_can_be_drawn(make_windows, tmp_path):
    windows = make_windows([(f"HARP {number}", "", [0], [0]) for number in range(8)])
    plot_split(windows, make_split(windows, "by_region", rng()), tmp_path / "split.png")
    assert (tmp_path / "split.png").is_file()


@pytest.mark.parametrize("n_regions", [1, 5, 30, 300])
@pytest.mark.parametrize("width", [4.6, 10])
def test_dates_below_a_picture_of_any_width_do_not_touch(regions, n_regions, width):
    windows = regions.isel(window=slice(10 * n_regions))
    split = make_split(windows, "random_windows", rng())
    names = "\n".join(["test 1997-06-30 to 1998-04-24"] * 2)
    both = xr.concat([split, split], "fold", data_vars="minimal").assign_attrs(fold_names=names)
    figure = draw_split(windows, both, "X1.0", width=width)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[1].get_xticklabels() if label.get_text()]
    assert len(boxes) >= 2
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_colours_of_roles_differ_in_grey_or_carry_another_mark():
    grey = {role: np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)) for role, colour in ROLE_COLOURS.items()}
    assert set(grey) == set(ROLES)
    for one, other in combinations(ROLES, 2):
        assert abs(grey[one] - grey[other]) > 0.15 or ROLE_HATCHES[one] != ROLE_HATCHES[other]


def test_what_cannot_be_drawn_is_refused(regions, tmp_path):
    split = make_split(regions, "by_cycle", rng())
    with pytest.raises(FlarecastError, match=r"ends in .png, .svg or .pdf, got '.jpg'"):
        plot_split(regions, split, tmp_path / "split.jpg")
    with pytest.raises(FlarecastError, match=r"roles for 10 windows to draw, got 1 folds of 3,000"):
        plot_split(regions.isel(window=slice(10)), split, tmp_path / "split.png")
