"""`QuestionPane`: the builder's what-if: which question is asked, and what is answered under the skip set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skipit_nb.charts.pixels import image_url
from skipit_nb.widgets.builder.what_if import Asked
from skipit_nb.widgets.builder.what_if_line import WhatIfLine
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.note import Note

if TYPE_CHECKING:
    from skipit_nb.widgets.builder.view import BuilderView


class QuestionPane:
    """Task, question, Previous, Next, and below them both answers."""

    def __init__(self, view: BuilderView) -> None:
        self._tool = tool = view.tool
        self.line = WhatIfLine()
        self.pick = view.bind(Controls(label="What if: the question", fields=_fields(tool.port.tasks())))  # type: ignore[union-attr]
        self.pick.on_enter(view.guarded(self._picked))
        self.pick.on_press(view.guarded(self._stepped))
        heading = Note(text="What if: one question, as you draw", tone="section")
        self.box = view.stack(heading, self.pick, self.line)

    def ask(self) -> None:
        """Ask under the skip set that is drawn now, and show that it is being asked."""
        self.line.wait()
        self._tool.ask_soon()

    def show(self, asked: Asked) -> None:
        """Show an answer."""
        options = _options(asked)
        self.pick.change("pick", options=options)
        self.pick.show(pick=options[asked.others.index(asked.example)])
        images: Any = asked.example.image  # a list of several, or None
        image = images[0] if isinstance(images, list) and images else images
        self.line.show(
            asked.answer,
            image=image_url(image) if image else "",
            alt=f"image {asked.example.cluster}",
            right=asked.example.answer,
        )

    def _picked(self, name: str, value: Any) -> None:
        checked = self.pick.checked(name, value)  # refused here too, or this would forgive what the view has refused
        if name == "pick" and (asked := self._tool.asked):
            self._choose(asked, _options(asked).index(checked))

    def _stepped(self, name: str) -> None:
        if asked := self._tool.asked:
            self._choose(asked, asked.others.index(asked.example) + (1 if name == "next" else -1))

    def _choose(self, asked: Asked, place: int) -> None:
        self._tool.set(question=asked.others[place % len(asked.others)].key)


def _options(asked: Asked) -> list[str]:
    return [f"{i}. {one.question}" for i, one in enumerate(asked.others, start=1)]


def _fields(tasks: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"name": "task", "label": "task", "kind": "choice", "options": list(tasks)},
        {"name": "pick", "label": "question", "kind": "choice", "options": []},
        {"name": "previous", "label": "Previous", "kind": "button"},
        {"name": "next", "label": "Next", "kind": "button"},
    ]
