"""The shared suites: one per port, subclassed by every implementation."""

import pytest

pytest.register_assert_rewrite("tests.contracts.provider")
