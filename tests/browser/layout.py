"""What is wrong with the layout of a widget: parts beyond its edge, controls on top of each other, text cut off."""

from playwright.sync_api import Page

FIND = """scope => {
    const root = document.querySelector(scope), edge = root.getBoundingClientRect(), found = [];
    const style = one => getComputedStyle(one);
    const seen = one => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.skipit-unseen');
    const clips = one => ['auto', 'scroll', 'hidden', 'clip'].includes(style(one).overflowX);
    const name = one => `${one.tagName.toLowerCase()}.${[...one.classList].join('.')} '${
        (one.getAttribute('aria-label') ?? one.textContent).trim().slice(0, 40)}'`;
    const scroller = one => {
        do one = one.parentElement; while (one && one !== root && !clips(one));
        return one === root ? null : one;
    };
    const elements = [...root.querySelectorAll('*')].filter(seen);

    for (const one of elements) {
        const box = one.getBoundingClientRect();
        const isBeyond = box.right > edge.right + 1 || box.left < edge.left - 1;
        if (isBeyond && box.width && !one.closest('svg') && !scroller(one))
            found.push(`${name(one)} goes beyond the edge: ${Math.round(box.left)} to ${Math.round(box.right)}`);
        const hasText = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (hasText && ['hidden', 'clip'].includes(style(one).overflowX) && one.scrollWidth > one.clientWidth + 1)
            found.push(`${name(one)} is cut off`);
    }

    const kinds = 'button, input, select, textarea, summary, [role=slider], [role=gridcell]';
    const controls = elements.filter(one => one.matches(kinds));
    const boxes = controls.map(one => {
        const box = one.getBoundingClientRect(), room = scroller(one)?.getBoundingClientRect() ?? box;
        const [left, right] = [Math.max(box.left, room.left), Math.min(box.right, room.right)];
        return [left, right, Math.max(box.top, room.top), Math.min(box.bottom, room.bottom)];
    });
    boxes.forEach(([left, right, top, bottom], i) => boxes.slice(0, i).forEach(([l, r, t, b], j) => {
        const wide = Math.min(right, r) - Math.max(left, l), high = Math.min(bottom, b) - Math.max(top, t);
        const isInside = controls[i].contains(controls[j]) || controls[j].contains(controls[i]);
        if (wide > 1 && high > 1 && !isInside) found.push(`${name(controls[i])} lies on ${name(controls[j])}`);
    }));
    return found.slice(0, 8);
}"""


def flaws(page: Page, scope: str) -> list[str]:
    """Each flaw inside `scope`, a CSS selector, in a sentence; the first eight.

    What scrolls or lies inside a picture may be wider than the widget. Entries scroll, too, and are not looked into.
    """
    found: list[str] = page.evaluate(FIND, scope)
    return found
