"""The explorer's numbers as tables, in a bare page."""

from typing import Any

from playwright.sync_api import expect

from skipit_nb.widgets.explorer.values import ValuesTable
from tests.browser.component_page import Mount


def tables(distance: str) -> list[dict[str, Any]]:
    return [{"caption": name, "columns": ["layer", "d"], "rows": [["0", distance]]} for name in ("measured", "pinned")]


def test_who_reads_a_table_is_still_there_when_its_numbers_change(mount: Mount) -> None:
    component = mount(ValuesTable(tables=tables("0.1")))
    component.page.locator("summary").click()
    second = component.host.get_by_role("region", name="pinned")
    second.focus()
    component.page.evaluate("tables => window.fromPython({ tables })", tables("0.2"))
    expect(second.get_by_role("row", name="0 0.2")).to_be_visible()
    expect(second).to_be_focused()
