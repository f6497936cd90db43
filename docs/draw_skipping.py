"""Draws docs/pictures/skipping.svg: which token is computed in which layer under the usual skip sets.

Run it after a change: `python docs/draw_skipping.py`. A test compares the file with what this draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PICTURE = Path(__file__).parent / "pictures" / "skipping.svg"

LAYERS, VISION, TEXT = 8, 5, 3
STEP, PANEL, TOP, LEFT = 20, 206, 66, 74
WIDTH, HEIGHT = LEFT + 5 * PANEL - 20, 336

VISION_COLOUR, TEXT_COLOUR, INK, FAINT = "#0072B2", "#D55E00", "#333333", "#767676"

FONT = 'font-family="system-ui, sans-serif" font-size="13"'
DESCRIPTION = (
    "Five panels of eight layers. run: all tokens in all layers. late entry: vision tokens are missing in layers 0 to "
    "2. early exit: they are missing from layer 5 on. frozen: in layers 2 to 4 they are hollow, seen but not updated. "
    "whole: layer 4 is empty."
)

IMAGE, BOTH = ("vision",), ("vision", "text")
PANELS = (
    ("run", "none", (), range(0), "", "Every token runs|through every layer."),
    ("late entry", "vision absent 0-2", IMAGE, range(3), "absent", "Vision tokens wait outside,|then join unchanged."),
    ("early exit", "vision absent 5-", IMAGE, range(5, 8), "absent", "Vision tokens leave;|the text goes on alone."),
    ("frozen", "vision frozen 2-4", IMAGE, range(2, 5), "frozen", "Vision tokens stand still,|but are still read."),
    ("whole", "whole 4", BOTH, range(4, 5), "whole", "Nobody computes anything;|all states pass on."),
)  # fmt: skip
"""Title, skip set, who does not run in which layers and how, and a sentence in two lines."""


def svg() -> str:
    """The whole picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" {FONT}>',
        "<title>Which tokens are computed in which layer</title>",
        f"<desc>{DESCRIPTION}</desc>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
        *_axis(),
        *(part for number, panel in enumerate(PANELS) for part in _panel(LEFT + number * PANEL, *panel)),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _height(layer: float) -> float:
    """Layer 0 is at the bottom, as in the papers' figures."""
    return TOP + (LAYERS - 1 - layer) * STEP


def _axis() -> Iterator[str]:
    for layer in (0, LAYERS - 1):
        yield _text(LEFT - 14, _height(layer) + 4, f"layer {layer}", FAINT, anchor="end")
    yield _text(LEFT - 14, _height(3.5) + 4, "↑", FAINT, anchor="end")


def _panel(
    left: int, title: str, skipset: str, kinds: tuple[str, ...], layers: range, action: str, sentence: str
) -> Iterator[str]:
    yield _text(left, 22, title, INK, weight="600")
    yield _text(left, 41, skipset, FAINT, family="ui-monospace, monospace", size=12)
    for column in range(VISION + TEXT):
        kind = "vision" if column < VISION else "text"
        x = left + 8 + column * STEP + (10 if kind == "text" else 0)
        yield f'<line x1="{x}" x2="{x}" y1="{_height(7) - 14}" y2="{_height(0) + 14}" stroke="#D9D9D9"/>'
        for layer in range(LAYERS):
            yield _token(x, _height(layer), kind, action if kind in kinds and layer in layers else "run")
    for line, text in enumerate(sentence.split("|")):
        yield _text(left, _height(0) + 40 + 18 * line, text, INK)


def _token(x: float, y: float, kind: str, action: str) -> str:
    if action in ("absent", "whole"):
        return ""
    colour = VISION_COLOUR if kind == "vision" else TEXT_COLOUR
    fill = colour if action == "run" else "#FFFFFF"
    look = f'fill="{fill}" stroke="{colour}" stroke-width="1.6"'
    if kind == "vision":
        return f'<circle cx="{x}" cy="{y}" r="6" {look}/>'
    return f'<rect x="{x - 5.5}" y="{y - 5.5}" width="11" height="11" {look}/>'


def _legend() -> Iterator[str]:
    y, x = HEIGHT - 18, LEFT
    for mark, width, text in (
        (_token(x + 8, y, "vision", "run"), 0, "vision token, computed"),
        (_token(x + 208, y, "text", "run"), 200, "text token, computed"),
        (_token(x + 398, y, "vision", "frozen"), 390, "not updated, but seen (keys and values only)"),
        (f'<line x1="{x + 732}" x2="{x + 732}" y1="{y - 9}" y2="{y + 9}" stroke="#B0B0B0" stroke-width="2"/>', 724,
         "state passes on, nobody sees it"),
    ):  # fmt: skip
        yield mark
        yield _text(x + width + 22, y + 4, text, INK)


def _text(x: float, y: float, text: str, colour: str, **style: str | int) -> str:
    names = {"anchor": "text-anchor", "weight": "font-weight", "family": "font-family", "size": "font-size"}
    more = "".join(f' {names[key]}="{value}"' for key, value in style.items())
    return f'<text x="{x}" y="{y}" fill="{colour}"{more}>{text}</text>'


if __name__ == "__main__":
    PICTURE.write_text(svg(), encoding="utf-8")
