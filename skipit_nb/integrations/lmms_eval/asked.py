"""One request of lmms-eval as one question: images, text, and how its answer ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skipit_nb.errors import SettingError

Documents = Mapping[str, Mapping[str, Any]]
"""lmms-eval's `task_dict`: the rows of every task and split."""

_SAMPLING = {
    "do_sample": (False, None),
    "num_beams": (1, None),
    "temperature": (0, None),
    "num_return_sequences": (1, None),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a harness puts it."""

    images: tuple[Any, ...]
    """All of them go before the text."""
    text: str
    max_new_tokens: int
    until: tuple[str, ...]
    """The answer ends before the first of these."""


def read_chat(arguments: Sequence[Any], documents: Documents, *, max_new_tokens: int) -> Asked:
    """Read `(context, doc_to_messages, gen_kwargs, doc_id, task, split)` of a chat model.

    Args:
        arguments: The six of them.
        documents: Where the row is.
        max_new_tokens: Where the task names none.

    Raises:
        SettingError: If it wants sampling, or something other than one turn of images and then text.
    """
    _, doc_to_messages, options, doc_id, task, split = arguments
    images, text = from_messages(doc_to_messages(documents[task][split][doc_id]))
    return _asked(images, text, options, max_new_tokens)


def read_simple(arguments: Sequence[Any], documents: Documents, *, max_new_tokens: int) -> Asked:
    """Read `(context, gen_kwargs, doc_to_visual, doc_id, task, split)` of a simple model.

    Raises:
        SettingError: If it wants sampling.
    """
    context, options, _, *_ = arguments
    return _asked(visuals(arguments, documents), context, options, max_new_tokens)


def visuals(arguments: Sequence[Any], documents: Documents) -> tuple[Any, ...]:
    """The images of a simple model's request."""
    *_, doc_to_visual, doc_id, task, split = arguments
    found = doc_to_visual(documents[task][split][doc_id]) if doc_to_visual else None
    return tuple(found or ())


def from_messages(messages: Sequence[Mapping[str, Any]]) -> tuple[tuple[Any, ...], str]:
    """Take images and text from chat messages; the model's own processor makes the prompt.

    Raises:
        SettingError: If there is another turn, a text before an image, or anything but images and text: a prompt put
            together otherwise would be another question.
    """
    roles = [message["role"] for message in messages]
    if roles != ["user"]:
        raise SettingError("the roles of a chat", roles, "['user']: one question without a system prompt")
    content = messages[0]["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    kinds = [part["type"] for part in parts]
    count = kinds.count("image")
    if kinds != ["image"] * count + ["text"]:
        raise SettingError("the content of a message", kinds, "images, then one text, such as ['image', 'text']")
    return tuple(part["url"] for part in parts[:count]), parts[-1]["text"]


def _asked(images: tuple[Any, ...], text: str, options: Mapping[str, Any], max_new_tokens: int) -> Asked:
    for name, greedy in _SAMPLING.items():
        if options.get(name) not in greedy:
            raise SettingError(name, options[name], f"{greedy[0]}: answers are greedy, so that A and B can be paired")
    until = options.get("until") or ()
    return Asked(
        images,
        text,
        int(options.get("max_new_tokens") or max_new_tokens),
        (until,) if isinstance(until, str) else tuple(until),
    )
