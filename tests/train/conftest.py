"""Roles of the toy, for the tests of trainings."""

import pytest


@pytest.fixture(scope="session")
def role(split):
    """Of its only fold."""
    return split["role"].values[0]
