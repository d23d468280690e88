"""Picking a part by name."""

import pytest

from flarecast.errors import FlarecastError, choose


def test_a_part_is_found_by_its_name():
    assert choose("split.strategy", "by_time", {"by_time": 1, "by_cycle": 2}) == 1


def test_an_unknown_part_lists_what_there_is():
    with pytest.raises(
        FlarecastError, match=r"^split\.strategy: expected one of by_cycle, by_time, got 'by_moon'$"
    ):
        choose("split.strategy", "by_moon", {"by_time": 1, "by_cycle": 2})
