"""`skipit judge A B` says what `read_logs` says, and opens no model."""

import subprocess
import sys
from pathlib import Path

from skipit_nb.cli import main
from skipit_nb.integrations.logs import read_logs
from skipit_nb.results import PairedComparison

A, B = (str(Path(__file__).parent / "data" / "lmms_eval" / arm) for arm in "ab")


def test_json_is_the_result_itself(capsys):
    assert main(["judge", A, B, "--cluster", "cluster", "--margin", "0.05", "--json"]) == 0
    printed = PairedComparison.from_json(capsys.readouterr().out)
    assert printed == read_logs(A, B, cluster="cluster", margin=0.05)


def test_the_last_line_is_the_verdict(capsys):
    assert main(["judge", A, B, "--metric", "exact_match", "--cluster", "cluster"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == read_logs(A, B, cluster="cluster").verdict.sentence


def test_it_says_that_documents_stand_alone(capsys):
    main(["judge", A, B])
    assert "name its column with --cluster" in capsys.readouterr().out


def test_a_refusal_ends_with_status_two(capsys):
    assert main(["judge", A, "nowhere"]) == 2
    assert "'nowhere' cannot be judged: there is no such file" in capsys.readouterr().err


def test_no_torch_is_loaded():
    code = f"import sys; from skipit_nb.cli import main; main(['judge', {A!r}, {B!r}]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
