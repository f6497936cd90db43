"""What axe-core says about a widget, by the rules of WCAG 2.2 AA."""

from functools import cache
from importlib.resources import files

from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

RUN = """async ([scope, rules]) => (await axe.run(scope, {
        runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'], elementRef: false }))
    .violations.map(found => `${found.id} (${found.nodes.length}): ${found.nodes[0].html.slice(0, 160)}`)"""


def violations(page: Page, scope: str) -> list[str]:
    """Each rule broken inside `scope`, a CSS selector, with its first offender. Keep to our own elements."""
    if not page.evaluate("() => typeof window.axe !== 'undefined'"):
        page.evaluate(_axe())
    found: list[str] = page.evaluate(RUN, [scope, RULES])
    return found


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
