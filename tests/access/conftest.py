"""Fixtures of access: a store of each kind, as the tests of the records have it."""

from tests.records.conftest import records, records_url

__all__ = ["records", "records_url"]
