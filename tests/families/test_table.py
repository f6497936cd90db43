"""The page of families says what the code says."""

import pytest

from tests.families import table
from tests.families.exclusions import IS_NEW


@pytest.mark.skipif(not IS_NEW, reason="the page lists the families of the newest transformers")
def test_the_page_lists_what_each_family_can_skip():
    is_listed = table.INTRO + table.capabilities() in table.PAGE.read_text("utf-8")
    assert is_listed, "the code changed since; write the page anew: python -m tests.families.table"
