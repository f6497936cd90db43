"""Every error of the toolkit: one tree, each class also a builtin, each message written once.

Call sites pass facts; the class turns them into *what is wrong · what was expected · what to do next*.

    SkipitError
    ├── SkipSetSyntaxError (ValueError)      a written skip set that cannot be read
    ├── SkipSetConflictError (ValueError)    a written skip set that contradicts itself
    ├── LayerIndexError (IndexError)         a layer the model does not have
    ├── LayerCountError (ValueError)         a skip set made for another number of layers
    ├── UnboundSkipSetError (ValueError)     an open skip set where a bound one is needed
    ├── UnsupportedSkipError (ValueError)    a skip set this model cannot run
    ├── ModelError (ValueError)
    │   ├── ModelNotFoundError (OSError)     a model id or folder that cannot be had
    │   ├── NotAVisionLanguageModelError     a checkpoint without vision tokens or decoder layers
    │   ├── BrokenWeightsError               a weights file that is cut short or damaged
    │   ├── MissingProcessorError            a call that needs a processor on a session without one
    │   └── DeviceError                      a device or dtype that this machine does not have
    ├── TaskError (ValueError)
    │   ├── UnknownTaskError (KeyError)      a task name that does not exist
    │   ├── NoExamplesError                  nothing to measure
    │   └── LimitError                       a limit below 1
    ├── ImageError (ValueError)              something that is not an image
    ├── QuestionError (ValueError)           a question without text
    ├── SettingError (ValueError)            a number or a name outside what a call takes
    ├── ResultFormatError (ValueError)       a stored result or state that cannot be read back
    ├── MissingPackageError (ImportError)    an optional package that is not installed
    ├── BrokenInstallError (RuntimeError)    installed packages that do not work together
    ├── SessionClosedError (RuntimeError)    a call on a closed session
    └── CancelledError (RuntimeError)        a job that was cancelled; not a failure
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class SkipitError(Exception):
    """Anything the toolkit refuses, with a message a person can act on."""


class SkipSetSyntaxError(SkipitError, ValueError):
    """A written skip set, or one clause of it, that cannot be read."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(
            f"{text!r} is not a skip set: {problem}. "
            "Expected 'none' or clauses joined by ';', such as 'vision absent 0-7', "
            "'text frozen 12+14', 'whole 28' or 'attn 16-'."
        )


class SkipSetConflictError(SkipitError, ValueError):
    """A written skip set that gives one layer two actions."""

    def __init__(self, text: str, layer: int, actions: Sequence[str]) -> None:
        super().__init__(
            f"{text!r} contradicts itself at layer {layer}: it asks for {' and '.join(actions)}. "
            "A layer has one action per modality. Write the stronger one, or join two skip sets with '|'."
        )


class LayerIndexError(SkipitError, IndexError):
    """A layer that is not there."""

    def __init__(self, layer: int, num_layers: int) -> None:
        super().__init__(
            f"layer {layer} is outside 0..{num_layers - 1}. "
            f"Layers are counted from 0; this model has {num_layers}. Choose a layer from 0 to {num_layers - 1}."
        )


class LayerCountError(SkipitError, ValueError):
    """A skip set or a result made for another number of layers."""

    def __init__(self, made_for: int, num_layers: int, what: str = "skip set") -> None:
        super().__init__(
            f"this {what} was made for {made_for} layers, but {num_layers} are expected here. "
            f"Make a new one for {num_layers} layers."
        )


class UnboundSkipSetError(SkipitError, ValueError):
    """An open skip set where a bound one is needed."""

    def __init__(self, skipset: object) -> None:
        super().__init__(
            f"'{skipset}' does not know how many layers the model has, so it has no fingerprint or list of layers. "
            "Bind it first: skipset.bind(num_layers)."
        )


class UnsupportedSkipError(SkipitError, ValueError):
    """A skip set this model or this version cannot run exactly."""

    def __init__(self, skipset: object, why: str, instead: str) -> None:
        super().__init__(f"'{skipset}' cannot run on this model: {why}. {instead}")


class ModelError(SkipitError, ValueError):
    """Something about the model itself."""


class ModelNotFoundError(ModelError, OSError):
    """A model id or folder that cannot be had."""

    def __init__(self, model: str, why: str) -> None:
        super().__init__(
            f"model {model!r} cannot be opened: {why}. "
            "Expected a folder written by save_pretrained, or a Hugging Face id that is cached or can be downloaded. "
            "Session.open() without a name opens the model in the box, offline."
        )


class NotAVisionLanguageModelError(ModelError):
    """A checkpoint that has no vision tokens or no list of decoder layers."""

    def __init__(self, model: str, missing: str) -> None:
        super().__init__(
            f"{model} is not a vision-language model this toolkit can read: {missing}. "
            "Expected a transformers model that maps an image and a text to text, such as "
            "LlavaForConditionalGeneration. Open such a checkpoint instead."
        )


class BrokenWeightsError(ModelError):
    """A weights file that is cut short or damaged."""

    def __init__(self, model: str, why: str) -> None:
        super().__init__(
            f"the weights of {model!r} cannot be read: {why}. "
            "Expected whole safetensors files. Copy or download the checkpoint again."
        )


class MissingProcessorError(ModelError):
    """A question asked of a session that was bound without a processor."""

    def __init__(self) -> None:
        super().__init__(
            "this session has no processor, so it cannot turn an image and a question into tokens. "
            "Bind one, Session(model, processor), or call session.model with ready tensors."
        )


class DeviceError(ModelError):
    """A device or number format that this machine does not have."""

    def __init__(self, wanted: str, available: Iterable[str]) -> None:
        super().__init__(
            f"{wanted} is not to be had on this machine. Available: {', '.join(available)}. "
            "Leave the argument out to let the session choose."
        )


class TaskError(SkipitError, ValueError):
    """Something about the questions to be asked."""


class UnknownTaskError(TaskError, KeyError):
    """A task name that does not exist."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.message = (
            f"there is no task {name!r}. Known tasks: {', '.join(known)}. Choose one of them, or pass a Task object."
        )
        super().__init__(self.message)

    def __str__(self) -> str:
        """Give the message itself; KeyError would quote it."""
        return self.message


class NoExamplesError(TaskError):
    """A measurement without anything to measure on."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs at least one example, but got none. Pass a task, or a list of examples.")


class LimitError(TaskError):
    """A limit below one question."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"limit is {limit}, but at least 1 question is needed. Leave limit out to use all of them.")


class ImageError(SkipitError, ValueError):
    """Something that is not an image."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"{what} is not an image: {why}. Expected a PIL image, a numpy array of height x width x 3, "
            "or the path of a PNG or JPEG file."
        )


class QuestionError(SkipitError, ValueError):
    """A question without text."""

    def __init__(self, question: object) -> None:
        super().__init__(f"the question is {question!r}. Expected some text, such as 'what color is the circle?'.")


class SettingError(SkipitError, ValueError):
    """A setting outside what a call takes."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name} is {value!r}, but should be {expected}.")


class ResultFormatError(SkipitError, ValueError):
    """A stored result, skip set or widget state that cannot be read back."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"this is not a stored {what}: {why}. Pass the JSON that the {what} was saved as.")


class MissingPackageError(SkipitError, ImportError):
    """An optional package that is not installed."""

    def __init__(self, package: str, purpose: str, install: str) -> None:
        super().__init__(f"{purpose} needs the package {package}, which is not installed. Install it: {install}")


class BrokenInstallError(SkipitError, RuntimeError):
    """Installed packages that do not work together."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. {mend}")


class SessionClosedError(SkipitError, RuntimeError):
    """A call on a session that was closed."""

    def __init__(self) -> None:
        super().__init__("this session is closed and holds no model any more. Open a new one: Session.open().")


class CancelledError(SkipitError, RuntimeError):
    """A job that was cancelled before its end. Not a failure: the model is as before."""

    def __init__(self) -> None:
        super().__init__("cancelled. The model is as before; run it again when you like.")
