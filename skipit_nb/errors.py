"""Every error of the toolkit: one tree, each class also a builtin, each message written once.

Call sites pass facts; the class turns them into *what is wrong · what was expected · what to do next*.

    SkipitError
    ├── SkipSetSyntaxError (ValueError)      a written skip set that cannot be read
    ├── SkipSetConflictError (ValueError)    a written skip set that contradicts itself
    ├── LayerIndexError (IndexError)         a layer the model does not have
    ├── LayerCountError (ValueError)         a skip set made for another number of layers
    ├── UnboundSkipSetError (ValueError)     an open skip set where a bound one is needed
    ├── UnsupportedSkipError (ValueError)    a skip set this model cannot run
    ├── UnsupportedExportError (ValueError)  a skip set that this form of export cannot say
    ├── ExportError (OSError)                a folder that cannot be written
    ├── LedgerError (OSError)                a ledger of answers that cannot be read or written
    ├── LogError (ValueError)                runs of a harness that cannot be read or paired
    ├── PaddingError (ValueError)            prompts padded at their end, asked to go on
    ├── ModelError (ValueError)
    │   ├── ModelNotFoundError (OSError)     a model id or folder that cannot be had
    │   ├── NotAVisionLanguageModelError     a checkpoint without vision tokens or decoder layers
    │   ├── BrokenWeightsError               a weights file that is cut short or damaged
    │   ├── MissingProcessorError            a call that needs a processor on a session without one
    │   ├── NoGradientError                  a model that autograd cannot differentiate (twice)
    │   └── DeviceError                      a device or dtype that this machine does not have
    ├── TaskError (ValueError)
    │   ├── UnknownTaskError (KeyError)      a task name that does not exist
    │   ├── DatasetNotFoundError (OSError)   a benchmark's data that cannot be had, such as offline
    │   ├── TaskDataError                    rows, files or a task YAML that make no questions
    │   ├── NoExamplesError                  nothing to measure
    │   ├── NothingAnsweredError             questions of which every one had an error
    │   ├── NoImagesError                    vision actions, and not one question about an image
    │   ├── TooFewSamplesError               fewer questions than an estimate can be made from
    │   ├── ConstantAnswerError              questions that all have the same answer
    │   └── LimitError                       a limit below 1
    ├── NotFiniteError (ArithmeticError)     a layer that gives NaN or infinity
    ├── ImageError (ValueError)              something that is not an image
    ├── QuestionError (ValueError)           a question without text
    ├── PromptError (ValueError)             images and text that a model's family has no prompt for
    ├── SettingError (ValueError)            a number, a name or a type that a call does not take
    ├── ResultFormatError (ValueError)       a stored result or state that cannot be read back
    ├── MissingPackageError (ImportError)    an optional package that is not installed
    ├── MemoryBudgetError (ValueError)       a memory budget that one branch of a sweep does not fit into
    ├── OutOfMemoryError (MemoryError)       a device that has no memory left
    ├── BrokenInstallError (RuntimeError)    installed packages that do not work together
    ├── WorkerError (RuntimeError)           a worker of an executor that died, or has not what the session has
    ├── SessionClosedError (RuntimeError)    a call on a closed session
    └── CancelledError (RuntimeError)        a job that was cancelled; not a failure
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class SkipitError(Exception):
    """Anything the toolkit refuses, with a message a person can act on."""

    def __reduce__(self) -> tuple[object, ...]:
        """Travel from a worker process with the message: by default a class would be called with it as a fact."""
        return _with_message, (type(self), self.args), self.__dict__


def _with_message(kind: type[SkipitError], args: tuple[object, ...]) -> SkipitError:
    error = OSError.__new__(kind) if issubclass(kind, OSError) else Exception.__new__(kind)
    error.args = args
    return error


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


class UnsupportedExportError(SkipitError, ValueError):
    """A skip set that one form of export cannot say exactly."""

    def __init__(self, skipset: object, form: str, why: str) -> None:
        self.why = why
        super().__init__(
            f"'{skipset}' cannot be exported as {form}: {why}. "
            "Leave form out, or pass form='config', to write the model with the skip set beside it."
        )


class ExportError(SkipitError, OSError):
    """A folder that cannot be written."""

    def __init__(self, path: str, why: str, mend: str) -> None:
        super().__init__(f"the model cannot be exported to {path!r}: {why}. That place is as it was before. {mend}")


class LedgerError(SkipitError, OSError):
    """A ledger of answers that cannot be read or written."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(
            f"the ledger {str(folder)!r} cannot be used: {why}. What it held is untouched. "
            "Name a new or empty folder, or one that session.compare(..., ledger=folder) wrote."
        )


class LogError(SkipitError, ValueError):
    """The log of an evaluation harness that cannot be read, or two that cannot be paired."""

    def __init__(self, where: object, why: str, expected: str) -> None:
        super().__init__(f"{str(where)!r} cannot be judged: {why}. Expected {expected}.")


class PaddingError(SkipitError, ValueError):
    """A padded batch whose padding stands where new tokens would go."""

    def __init__(self) -> None:
        super().__init__(
            "this batch is padded on the right, so new tokens would follow padding. "
            "Expected padding on the left for generation. Make the batch with padding_side='left'."
        )


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


class NoGradientError(ModelError):
    """A model whose answer has no derivative by its states, such as a quantised one."""

    def __init__(self, layer: int, why: str) -> None:
        super().__init__(
            f"the answer has no derivative by the states after layer {layer}: {why}. "
            "Expected layers that autograd can differentiate twice. "
            "Open the model unquantised, in float32 or bfloat16, with sdpa or eager attention."
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


class DatasetNotFoundError(TaskError, OSError):
    """A benchmark whose data cannot be had."""

    def __init__(self, task: str, source: str, why: str) -> None:
        super().__init__(
            f"the data of task {task!r} cannot be had: {why.rstrip('.')}. Expected {source}. Go online (unset "
            "HF_HUB_OFFLINE), or pass data_files= with parquet files of yours; the tasks in the box need no network."
        )


class TaskDataError(TaskError):
    """Rows, files or a task YAML that do not make questions."""

    def __init__(self, where: str, why: str, expected: str) -> None:
        super().__init__(f"{where} makes no question: {why.rstrip('.')}. Expected {expected}.")


class NoExamplesError(TaskError):
    """A measurement without anything to measure on."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs at least one example, but got none. Pass a task, or a list of examples.")


class NothingAnsweredError(TaskError):
    """Questions of which not one could be answered."""

    def __init__(self, what: str, errors: Sequence[str]) -> None:
        super().__init__(
            f"{what} needs answers, but each of its {len(errors)} questions had an error. The first: "
            f"{errors[0].rstrip('.')}. Expected questions that this model can be asked. Mend what the error names."
        )


class NoImagesError(TaskError):
    """A skip set for vision tokens on questions of which none has an image."""

    def __init__(self, skipset: object) -> None:
        super().__init__(
            f"'{skipset}' is about vision tokens, but none of these questions has an image. "
            "Expected at least one question about an image. Choose another task, or a set such as 'whole 3'."
        )


class TooFewSamplesError(TaskError):
    """Fewer questions, or images, than an estimate can be made from."""

    def __init__(self, what: str, found: int, needed: int, mend: str) -> None:
        self.needed = needed
        super().__init__(f"{what}: there are {found}, but at least {needed} are needed. {mend}")


class ConstantAnswerError(TaskError):
    """Questions that all have the same answer, so that no state can tell anything about it."""

    def __init__(self, answer: str, count: int) -> None:
        super().__init__(
            f"all {count} questions have the answer {answer!r}, so there is nothing to know about it. "
            "Expected at least two different answers. Take more questions, or another task."
        )


class LimitError(TaskError):
    """A limit below one question."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"limit is {limit}, but at least 1 question is needed. Leave limit out to use all of them.")


class NotFiniteError(SkipitError, ArithmeticError):
    """A layer, or the head behind the last one, that gives NaN or infinity."""

    def __init__(self, layer: int | str, count: int) -> None:
        gives = f"{layer} gives" if isinstance(layer, str) else f"layer {layer} gives"
        where = "the states before layer 0 hold" if layer == -1 else gives
        super().__init__(
            f"{where} NaN or infinity for {count} question{'' if count == 1 else 's'} of a batch. "
            "Expected finite states. Open the model in float32 or bfloat16; if they stay, its weights are damaged."
        )


class ImageError(SkipitError, ValueError):
    """Something that is not an image."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"{what} is not an image: {why}. Expected a PIL image, a numpy array of height x width x 3, "
            "the path of a PNG or JPEG file, or a list of these."
        )


class QuestionError(SkipitError, ValueError):
    """A question without text."""

    def __init__(self, question: object) -> None:
        super().__init__(f"the question is {question!r}. Expected some text, such as 'what color is the circle?'.")


class PromptError(SkipitError, ValueError):
    """Images and text that a model's family has no prompt for."""

    def __init__(self, processor: str, images: Sequence[int], why: str) -> None:
        counts = " + ".join(map(str, images))
        super().__init__(
            f"{processor} makes no prompt of {counts} image{'' if counts == '1' else 's'} and text: {why}. "
            "Expected as many images a question as this family was trained with, often one. "
            "Ask with another number of images, or call session.model with ready tensors."
        )


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


class MemoryBudgetError(SkipitError, ValueError):
    """A memory budget that is too small for one branch of a sweep."""

    def __init__(self, budget: int, needed: int) -> None:
        self.needed = needed
        super().__init__(
            f"a memory budget of {budget:,} bytes is too small: one branch of this batch needs {needed:,}. "
            "Raise memory, or lower batch_size."
        )


class OutOfMemoryError(SkipitError, MemoryError):
    """The device has no memory left. The model is as before, and what the call had taken is given back."""

    def __init__(self, device: str, why: str) -> None:
        super().__init__(
            f"{device} is out of memory: {why}. The model is as before, and what this call had taken is given back. "
            "Lower batch_size first, then limit, or memory in a sweep; or open the model in half precision."
        )


class BrokenInstallError(SkipitError, RuntimeError):
    """Installed packages that do not work together."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. {mend}")


class WorkerError(SkipitError, RuntimeError):
    """A worker of an executor that died, or that has not what this session has."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. Nothing was changed here. {mend}")


class SessionClosedError(SkipitError, RuntimeError):
    """A call on a session that was closed."""

    def __init__(self) -> None:
        super().__init__("this session is closed and holds no model any more. Open a new one: Session.open().")


class CancelledError(SkipitError, RuntimeError):
    """A job that was cancelled before its end. Not a failure: the model is as before."""

    partial: object | None = None
    """The result so far, of a call that can give one: a comparison or a sweep. None otherwise."""

    def __init__(self) -> None:
        super().__init__("cancelled. The model is as before; run it again when you like.")
