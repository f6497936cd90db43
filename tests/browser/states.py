"""What the tools look like in each of their states: how to bring a tool there, by code or by hand, and what to see."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator

Act = Callable[[Locator], object]


@dataclass(frozen=True)
class State:
    """One state of one tool."""

    tool: str
    name: str
    """Ends the picture's file name."""
    caption: str
    code: str = ""
    """Run in the kernel; the tools are there under their names, and the names that `pictures` sets up."""
    act: Act = lambda _: None
    """What a hand does after it."""

    @property
    def file(self) -> str:
        return f"{self.tool}-{self.name}.png"


def enter(label: str, value: str) -> Act:
    """Type into a field and leave it."""

    def act(tool: Locator) -> None:
        field = tool.get_by_label(label, exact=True).first
        field.fill(value)
        field.press("Enter")

    return act


def unfold(label: str) -> Act:
    """Open what is folded away under a line."""
    return lambda tool: tool.locator("summary", has_text=label).first.click()


STATES = (
    State(
        "explorer",
        "first-look",
        "Shown for the first time: one question was looked at, and nothing measured yet.",
    ),
    State(
        "explorer",
        "measured",
        "Averaged over 200 questions; layer 3 lies over the image.",
        'explorer.set(task="easy-vqa", limit=200, layer=3); explorer.run()',
    ),
    State(
        "explorer",
        "beside",
        "A question pinned, and another beside it.",
        'explorer.set(over="question", question=0); explorer.look(); explorer.pin()\n'
        "explorer.set(question=14, layer=6); explorer.look()",
    ),
    State(
        "explorer",
        "lengths",
        "Lengths of states instead of distances, on a linear axis; a band of layers chosen in the map.",
        'explorer.unpin(); explorer.set(over="task", shows="length", scale="linear", band=(4, 7))',
    ),
    State(
        "explorer",
        "refused",
        "A threshold out of range: what was wrong, what is expected; the typed number stays, to be mended.",
        'explorer.set(shows="distance", scale="log", band=())',
        enter("ε of the tail", "7"),
    ),
    State(
        "explorer",
        "tables",
        "The numbers behind the pictures.",
        "explorer.set(epsilon=0.02)",
        unfold("Values as tables"),
    ),
    State(
        "builder", "empty", "Nothing is skipped yet; the what-if asks the full model.", 'builder.set(skipset="none")'
    ),
    State(
        "builder",
        "drawn",
        "Every action that a cell can have, with what it saves and which condition it breaks.",
        'builder.set(skipset="vision absent 8-11; text frozen 2; whole 6; attn 4; mlp 5"); builder.what_if()',
    ),
    State("builder", "recommended", "What the paper's rule recommends.", "builder.recommended(); builder.what_if()"),
    State(
        "builder",
        "proposed",
        "A published method has measured and proposed its layers.",
        'builder.propose("shortv", layers=3); builder.what_if()',
    ),
    State(
        "builder",
        "refused",
        "A layer that the model does not have.",
        'builder.set(skipset="none")',
        enter("skip set", "vision absent 8-40"),
    ),
    State(
        "builder",
        "code",
        "The same skip set as code, ready to be pasted into an assignment.",
        'builder.set(skipset="vision absent 8-11")',
        unfold("Code for this"),
    ),
    State("evaluator", "ready", "Before the first run."),
    State(
        "evaluator",
        "running",
        "While it runs: how it stands, with an interval that holds however often one looks.",
        'evaluator.set(b="vision absent 0-3", limit=3000); evaluator.run(block=False)\n'
        "while len(evaluator.looks) < 4: time.sleep(0.05)",
    ),
    State("evaluator", "paused", "Paused: the model is free meanwhile.", "evaluator.job.pause(); time.sleep(0.5)"),
    State(
        "evaluator",
        "cancelled",
        "Cancelled: what was answered is judged, and labelled incomplete.",
        "evaluator.job.resume(); evaluator.job.cancel(); time.sleep(2)",
    ),
    State(
        "evaluator",
        "worse",
        "A verdict, what it rests on, and the questions of one type that B answers worse.",
        'evaluator.set(limit=300, flips="worse", kind="shape"); evaluator.run()',
    ),
    State(
        "evaluator",
        "not-worse",
        "Nothing lost: not worse by more than the margin.",
        'evaluator.set(b="vision absent 8-11", limit=1500, margin=0.02, flips="any", kind=""); evaluator.run()',
    ),
    State(
        "evaluator",
        "many",
        "Many skip sets on the same questions; a press on a point makes it B.",
        'evaluator.set(many="early exit of vision", limit=300); evaluator.sweep()',
    ),
    State("evaluator", "stale", "Settings changed after the run.", 'evaluator.set(b="whole 3")'),
    State(
        "evaluator",
        "measurements",
        "Every measurement, with its interval and how it was found.",
        "evaluator.run()",
        unfold("Every measurement"),
    ),
    State(
        "studio",
        "saved",
        "The whole story, its state and results saved in one file.",
        "studio.run()",
        lambda tool: tool.get_by_role("button", name="Save", exact=True).first.click(),
    ),
)
