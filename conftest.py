"""For all tests: no test fails because the computer is busy, and none passes that printed an error."""

import sys

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def no_printed_errors(request):
    """What Slicer's error log would show fails the test; ``errors.taken()`` in a test says that it expects them."""
    yield
    if "slicer_harness.errors" in sys.modules:
        found = sys.modules["slicer_harness.errors"].taken()
        assert not found, "\n".join(found)


@pytest.fixture(autouse=True)
def no_panel_left_open(no_printed_errors):
    """A panel that a test opened by ``slicer.util.selectModule`` would answer in the next one, too."""
    yield
    if "slicer_harness" in sys.modules:
        sys.modules["slicer_harness"].close_panels()
