"""The stand-in stack, in one cloud for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.embedded.stand_in_cloud import StandIn, stand_in_cloud


@pytest.fixture(scope="module")
def _stand_in_of_the_file() -> Iterator[StandIn]:
    with stand_in_cloud() as made:
        yield made


@pytest.fixture
def stand_in(_stand_in_of_the_file: StandIn) -> StandIn:
    _stand_in_of_the_file.retry_waits.clear()
    return _stand_in_of_the_file
