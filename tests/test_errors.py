"""Errors travel between processes with their message."""

import inspect
import pickle

import pytest

from skipit_nb import errors

RAISED = [
    errors.SkipSetSyntaxError("vision away", "'away' is no action"),
    errors.LayerIndexError(28, 28),
    errors.ModelNotFoundError("mine", "there is no such folder"),
    errors.DeviceError("device 'cuda:7'", ["cpu"]),
    errors.UnknownTaskError("vqa-3000", ["easy-vqa"]),
    errors.MissingPackageError("easy-vqa", "the task", "pip install easy-vqa"),
    errors.CancelledError(),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_as_it_was(error):
    error.add_note("while testing")
    back = copied(error)
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.__notes__ == ["while testing"]


KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.SkipitError)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_error_can_travel(kind):
    back = copied(errors._with_message(kind, ("the message",)))
    assert (type(back), back.args) == (kind, ("the message",))


def copied(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301  written a line ago
