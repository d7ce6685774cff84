"""Fixtures of the web: both places of the views."""

from tests.agents.views.conftest import site

__all__ = ["site"]
