"""The four tools on the model in the box, with small samples, and what each of them can be asked to do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from skipit_nb import Session
from skipit_nb.studio import Studio
from skipit_nb.widgets import ABEvaluator, LayerDistanceExplorer, SkipSetBuilder
from tests.waiting import wait_for
from tests.widgets.inside import tools_of

TASK, OTHER_TASK, SET, LIMIT = "digits-vqa", "easy-vqa", "vision absent 3-", 34


class UntimedSession(Session):
    """The real model and real answers, but a comparison times nothing: its stopwatch takes ten seconds."""

    def compare(self, *args: Any, **named: Any) -> Any:
        return super().compare(*args, **{"measure": ("accuracy", "loyalty", "flops")} | named)


Work = Callable[[Any], Any]


@dataclass(frozen=True)
class Kind:
    """One kind of tool."""

    make: Callable[[Any], Any]
    change: dict[str, Any]
    """What `set` takes: another question or task, so that a view has to ask."""
    work: dict[str, Work] = field(default_factory=dict)
    """What it can be asked to do besides `run`, each waiting for its end."""
    takes_long: tuple[str, ...] = ()
    """Of `run` and `work`, what goes through many questions."""


EXPLORER: dict[str, Work] = {"look": lambda tool: tool.look(), "map_bands": lambda tool: tool.map_bands()}
BUILDER: dict[str, Work] = {
    "what_if": lambda tool: tool.what_if(),
    "propose": lambda tool: tool.propose("shortgpt", limit=LIMIT, layers=2),
}
EVALUATOR: dict[str, Work] = {"sweep": lambda tool: tool.sweep([SET, "whole 11"])}

KINDS: dict[str, Kind] = {
    "explorer": Kind(
        lambda one: LayerDistanceExplorer(one, task=TASK, limit=LIMIT, seed=3, epsilon=0.3, layer=5),
        {"question": 1},
        EXPLORER,
        ("run", "map_bands"),
    ),
    "builder": Kind(
        lambda one: SkipSetBuilder(one, skipset=SET, task=TASK, num_text=20),
        {"task": OTHER_TASK},
        BUILDER,
        ("propose",),
    ),
    "evaluator": Kind(
        lambda one: ABEvaluator(one, "whole 11", SET, task=TASK, limit=LIMIT, seed=2, margin=0.05),
        {"task": OTHER_TASK},
        EVALUATOR,
        ("run", "sweep"),
    ),
    "studio": Kind(
        lambda one: _small(Studio(one, skipset=SET, task=TASK, limit=LIMIT)),
        {"explorer": {"question": 1}},
        {
            **{name: lambda tool, do=do: do(tool.explorer) for name, do in EXPLORER.items()},
            **{name: lambda tool, do=do: do(tool.builder) for name, do in BUILDER.items()},
            **{name: lambda tool, do=do: do(tool.evaluator) for name, do in EVALUATOR.items()},
        },
        ("run", "sweep"),
    ),
}


def _small(studio: Studio) -> Studio:
    studio.set(explorer={"limit": LIMIT})
    return studio


def work_of(kind: str) -> dict[str, Work]:
    """Everything that this kind of tool can be asked to do."""
    return {"run": lambda tool: tool.run(), **KINDS[kind].work}


def do_all(kind: str, tool: Any) -> None:
    """Run, then ask for everything else, with the view there to see it."""
    tool.view  # noqa: B018 - built first, so that it follows
    for work in work_of(kind).values():
        work(tool)
    settle(tool)


def settle(tool: Any) -> None:
    """Wait until nothing is under way on the tool's session: what a view asked for by itself has come."""

    def is_asking() -> bool:
        askers = [getattr(one, "_asker", None) for one in tools_of(tool)]
        return any(asker is not None and asker.is_asking for asker in askers)

    wait_for(lambda: not tool.port.jobs and not is_asking(), 30)
