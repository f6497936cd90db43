"""Two runs that somebody already has, judged as `session.compare` judges its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from skipit_nb.backend.evaluation.judged import paired_comparison
from skipit_nb.errors import LogError
from skipit_nb.integrations.logs import lm_eval, lmms_eval, vlmevalkit
from skipit_nb.integrations.logs.lines import read_lines
from skipit_nb.integrations.logs.log import Log
from skipit_nb.integrations.logs.pairing import chosen_metric, clusters, refuse_other_documents, scores
from skipit_nb.results import PairedComparison

SAMPLES = "*samples_*.jsonl"
_EXPECTED = "a samples file of lmms-eval or lm-eval, a table of VLMEvalKit, or a folder that holds one samples file"


def read_logs(
    path_a: str | Path,
    path_b: str | Path,
    *,
    metric: str | None = None,
    cluster: str | Mapping[str, object] | None = None,
    margin: float = 0.01,
) -> PairedComparison:
    """Judge two runs of lmms-eval, lm-eval or VLMEvalKit on the same documents.

    Documents are paired by `doc_id` or `index`. No model is opened. It does not see how the runs were made: a cache
    that served B the answers of A looks like a B that changes nothing.

    Args:
        path_a: Samples of A: a file, or a folder with one samples file in it.
        path_b: Samples of B.
        metric: Which score; None if there is only one. Higher must be better.
        cluster: What documents share, most often their image: a column, `outer.inner` for one inside another; or a
            mapping of `doc_id` to it. None takes every document alone, which makes intervals too narrow if it is not.
        margin: The loss of accuracy you would accept, as a share; fix it before you look.

    Raises:
        LogError: If a log cannot be read, the two do not hold the same documents once each, or scores are no shares.
        MissingPackageError: If it is xlsx and openpyxl is not installed.
        SettingError: If the margin is out of range.
    """
    a, b = read_log(Path(path_a)), read_log(Path(path_b))
    refuse_other_documents(a, b)
    name = chosen_metric(a, b, metric)
    return paired_comparison(
        scores(a, name, a.documents),
        scores(b, name, a.documents),
        None if cluster is None else clusters(a, name, cluster),
        margin=margin,
    )


def read_log(path: Path) -> Log:
    """Read one run, of whichever harness.

    Raises:
        LogError: If it is none, or a folder of several.
        MissingPackageError: If it is xlsx and openpyxl is not installed.
    """
    file = _file(path)
    if file.suffix in vlmevalkit.ENDINGS:
        return vlmevalkit.read(file)
    rows = read_lines(file)
    if rows and all(map(lm_eval.is_it, rows)):
        return lm_eval.read(file)
    if rows and all(map(lmms_eval.is_it, rows)):
        return lmms_eval.read(file)
    raise LogError(file, "its lines are no samples of a harness" if rows else "it is empty", _EXPECTED)


def _file(path: Path) -> Path:
    if path.is_file():
        if path.suffix not in {".jsonl", *vlmevalkit.ENDINGS}:
            raise LogError(path, f"it ends in {path.suffix!r}", _EXPECTED)
        return path
    if not path.is_dir():
        raise LogError(path, "there is no such file", _EXPECTED)
    found = sorted(path.rglob(SAMPLES))
    if len(found) != 1:
        names = ", ".join(str(file.relative_to(path)) for file in found)
        raise LogError(path, f"it holds {names or 'no samples file'}", "one samples file; name the one you mean")
    return found[0]
