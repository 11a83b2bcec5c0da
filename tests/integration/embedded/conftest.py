"""The stand-in stack in a cloud of its own, for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.embedded.stand_in_cloud import StandIn, stand_in_cloud


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with stand_in_cloud() as made:
        yield made
