"""Benchmarks by their published columns: every one read whole and in part, from files written here."""

import itertools
import pickle
import sys
from types import SimpleNamespace

import pytest

from skipit_nb.backend.tasks import hub_task_names, load_task, put_together, score
from skipit_nb.backend.tasks.hub import tables
from skipit_nb.backend.tasks.hub.catalogue import BENCHMARKS
from skipit_nb.errors import (
    DatasetNotFoundError,
    ImageError,
    LimitError,
    MissingPackageError,
    SettingError,
    TaskDataError,
    TooFewSamplesError,
    UnknownTaskError,
)
from tests.backend.tasks import published
from tests.backend.tasks.published import color, write

SHORT = "\nAnswer the question using a single word or phrase."
LETTER = "\nAnswer with the option's letter from the given choices directly."


def task_from(name, folder, rows=None, per_group=4, **options):
    """The task, read from files with its published columns."""
    rows = getattr(published, name)() if rows is None else rows
    if name == "gqa":
        questions, images = rows
        files = {
            "questions": write(folder / "questions.parquet", questions, per_group),
            "images": write(folder / "images.parquet", images, per_group),
        }
    else:
        half = len(rows) // 2 + 1
        files = [
            write(folder / f"{part}.parquet", rows[cut], per_group)
            for part, cut in enumerate((slice(half), slice(half, None)))
        ]
    return load_task(name, data_files=files, **options)


def test_eleven_benchmarks_are_known():
    assert hub_task_names() == (
        *("vqav2", "gqa", "textvqa", "pope", "scienceqa", "mmbench", "mmstar", "ai2d", "seed", "mme", "clevr"),
    )


# Per benchmark: the first question, its answer and letters, and what stands in its row beside it.
FIRST = {
    "vqav2": ("What color is it, 0?" + SHORT, "color 0", "other", "vqav2/1000"),
    "gqa": ("Is it 0?" + SHORT, "no", "verify", "gqa/n0"),
    "textvqa": ("What does the sign say?" + SHORT, "stop", "", "textvqa/img0"),
    "pope": ("Is there a thing 0 in the image?" + SHORT, "no", "adversarial", "pope/COCO_val2014_000000000000"),
    "scienceqa": ("Which is number 0?\nA. one\nB. two\nC. three" + LETTER, "A", "natural science", None),
    "mmbench": ("A hint.\nWhat is it, 0?\nA. a cow\nB. a dog\nC. a cat" + LETTER, "A", "identity", "mmbench/0"),
    "mmstar": (
        "Which is right?\nOptions: A: The cat, B: The big, red dog., C: A cow, D: 12:30" + LETTER[:-1],
        "A",
        "logical reasoning",
        "mmstar/val/000000",
    ),
    "ai2d": ("Which part, 0?\nA. root\nB. leaf\nC. stem\nD. 7" + LETTER, "A", "diagram", None),
    "seed": ("How many?\nA. One\nB. Two\nC. Three\nD. Four" + LETTER, "A", "video", "seed/d0"),
    "mme": ("Is it color 0?" + SHORT, "yes", "code_reasoning", "mme/code_reasoning/color/0000.png"),
    "clevr": ("How many things, 0?", "0", "", "clevr/train/000000"),
}


@pytest.mark.parametrize("name", hub_task_names())
def test_the_first_question_is_as_published(name, tmp_path):
    first = task_from(name, tmp_path).examples[0]
    question, answer, kind, cluster = FIRST[name]
    assert (first.question, first.answer, first.kind) == (question, answer, kind)
    assert cluster is None or first.cluster == cluster
    assert first.scorer == BENCHMARKS[name].scorer


@pytest.mark.parametrize("name", hub_task_names())
def test_a_draw_holds_whole_clusters_with_their_own_images(name, tmp_path):
    task = task_from(name, tmp_path)
    everything = {example.key: example for example in task.examples}
    drawn = task.sample(5, seed=3)
    assert len(drawn) >= 5
    assert len(drawn) < len(everything)
    for example in drawn:
        assert example == everything[example.key]
        assert pixels(example) == pixels(everything[example.key])
    if BENCHMARKS[name].cluster:
        clusters = {example.cluster for example in drawn}
        assert {e.key for e in everything.values() if e.cluster in clusters} == {e.key for e in drawn}
    assert drawn == task.sample(5, seed=3)
    assert len({task.sample(5, seed=seed) for seed in range(6)}) > 1


def pixels(example):
    image = example.image
    images = image if isinstance(image, list) else [image] if image else []
    return [color(one) for one in images]


@pytest.mark.parametrize("name", hub_task_names())
def test_the_right_answer_is_scored_right(name, tmp_path):
    for example in task_from(name, tmp_path).examples:
        found = score(example.answer, example)
        assert found.parsed
        assert found.value == (1.0 if name != "vqav2" else pytest.approx(1.0))


@pytest.mark.parametrize("name", hub_task_names())
def test_questions_about_an_image_stand_together_and_keys_are_unique(name, tmp_path):
    examples = task_from(name, tmp_path).examples
    assert len({example.key for example in examples}) == len(examples)
    changes = sum(a.cluster != b.cluster for a, b in itertools.pairwise(examples))
    assert changes + 1 == len({example.cluster for example in examples})


@pytest.mark.parametrize("name", hub_task_names())
def test_a_question_is_found_by_its_key(name, tmp_path):
    task = task_from(name, tmp_path)
    wanted = task.sample(5, seed=1)[-1]
    assert task.example(wanted.key) == wanted
    for key in (f"{name}/nowhere/000000", f"{name}/{task.split}/999999", f"{name}/{task.split}/x", ""):
        with pytest.raises(SettingError, match="the key of a question, such as"):
            task.example(key)


@pytest.mark.parametrize("name", ["pope", "gqa", "clevr"])
def test_a_drawn_question_travels_with_its_image(name, tmp_path):
    for example in (task_from(name, tmp_path).sample(3, seed=0)[0], task_from(name, tmp_path).examples[-1]):
        back = pickle.loads(pickle.dumps(example))  # noqa: S301  written a line ago
        assert back == example
        assert pixels(back) == pixels(example)


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def reads(monkeypatch):
    """Every read of a row group: file, number, columns."""
    seen = []
    real = tables._file

    class Spy:
        def __init__(self, url):
            self.url, self.real = url, real(url)

        def __getattr__(self, name):
            return getattr(self.real, name)

        def read_row_group(self, number, columns):
            seen.append((self.url, number, tuple(columns)))
            return self.real.read_row_group(number, columns=columns)

    monkeypatch.setattr(tables, "_file", Spy)
    return seen


def test_making_a_task_reads_nothing(tmp_path, reads):
    task = task_from("pope", tmp_path)
    repr(task)
    assert reads == []


def test_a_limit_reads_the_ids_of_all_and_the_images_of_few(tmp_path, reads):
    rows = published.vqav2(images=400, each=3)
    task = task_from("vqav2", tmp_path, rows, per_group=30)
    examples = task.sample(60, seed=0)
    with_images = {(url, number) for url, number, columns in reads if "image" in columns}
    assert {columns for *_, columns in reads if "image" not in columns} == {("image_id",)}
    assert len(task._reader.table.blocks) == 41
    assert len(with_images) <= 21
    reads.clear()
    assert [example.image for example in examples]
    assert reads == []


def test_all_questions_are_read_without_an_image(tmp_path, reads):
    task = task_from("vqav2", tmp_path)
    assert len(task) == 36
    assert [read for read in reads if "image" in read[2]] == []
    tables._column.cache_clear()
    assert color(task.examples[7].image) == 2
    assert [columns for *_, columns in reads if "image" in columns] == [("image",)]


def test_the_version_says_whose_files_these_are(tmp_path):
    assert task_from("gqa", tmp_path).version == "lmms-lab-encoder/GQA testdev_balanced_instructions, local files"


# ── each benchmark's own traps ───────────────────────────────────────────────────────────────────────────────────────


def test_mme_keeps_pairs_whole_and_scores_them(tmp_path):
    task = task_from("mme", tmp_path)
    for limit in (1, 3, 5):
        drawn = task.sample(limit, seed=limit)
        found = put_together(task.metric, drawn, [score(example.answer, example) for example in drawn])
        assert found["accuracy_plus"] == 1
        assert found["mme"] == 200 * len({example.kind for example in drawn})


def test_mmbench_keeps_rotations_together_whether_the_index_is_a_number_or_a_text(tmp_path):
    for index in (int, str):
        task = task_from("mmbench", tmp_path / index.__name__, published.mmbench(index=index))
        drawn = task.sample(4, seed=2)
        assert len(drawn) == 6
        assert {sum(e.group == group for e in drawn) for group in {e.group for e in drawn}} == {3}
        always_a = put_together("circular", drawn, [score("A", example) for example in drawn])
        assert (always_a["circular"], always_a["accuracy"]) == (0, pytest.approx(1 / 3))
        by_name = put_together("circular", drawn, [score("a cow", example) for example in drawn])
        assert by_name["circular"] == 1


def test_mmbench_takes_the_word_nan_for_nothing(tmp_path):
    question = task_from("mmbench", tmp_path).example("mmbench/dev/000001").question
    assert "nan" not in question
    assert question.startswith("What is it, 1?")


def test_mmstar_finds_its_options_inside_the_question(tmp_path):
    first = task_from("mmstar", tmp_path).examples[0]
    assert first.choices == ("The cat", "The big, red dog.", "A cow", "12:30")
    assert score("the big, red dog", first).rule == "option text"


def test_gqa_joins_its_images_by_key(tmp_path):
    for example in task_from("gqa", tmp_path).examples:
        assert color(example.image) == int(example.cluster.removeprefix("gqa/n"))


def test_gqa_without_one_of_its_images_says_which(tmp_path):
    questions, images = published.gqa()
    task = task_from("gqa", tmp_path, (questions, [row for row in images if row["id"] != "n3"]))
    with pytest.raises(TaskDataError, match="there is no image 'n3'"):
        _ = task.examples


def test_gqa_wants_both_of_its_files(tmp_path):
    path = write(tmp_path / "q.parquet", published.gqa()[0])
    with pytest.raises(SettingError, match=r'data_files is .* a dict of "questions" and "images"'):
        load_task("gqa", data_files=path, limit=1)


def test_scienceqa_asks_without_an_image_where_there_is_none(tmp_path):
    task = task_from("scienceqa", tmp_path)
    without = next(example for example in task.examples if example.key.endswith("000002"))
    assert without.image is None
    assert without.cluster == "scienceqa/test/000002"
    assert "Context: Look closely.\nWhich is number 2?" in without.question


def test_images_without_a_name_are_told_apart_by_their_content(tmp_path):
    examples = task_from("ai2d", tmp_path).examples
    assert len({example.cluster for example in examples}) == 4
    assert [color(example.image) for example in examples] == [image for image in range(4) for _ in range(3)]


def test_seed_gives_the_frames_of_a_video_and_one_image(tmp_path):
    first, *_, last = task_from("seed", tmp_path).examples
    assert [color(image) for image in first.image] == [0, 900]
    assert color(last.image) == 5


def test_textvqa_does_not_show_what_was_read_in_the_image(tmp_path):
    assert "STOP" not in task_from("textvqa", tmp_path).examples[0].question


def test_clevr_asks_each_question_of_a_row(tmp_path):
    task = task_from("clevr", tmp_path)
    assert len(task) == 20
    assert task.sample(5, seed=0)[0].key.endswith("-0")
    assert len(task.sample(6, seed=0)) == 10


def test_pope_s_numbers_are_its_metric_s(tmp_path):
    drawn = task_from("pope", tmp_path, limit=20)
    assert drawn.metric == "f1"
    assert len(drawn) == 36
    found = put_together(drawn.metric, drawn.examples, [score("Yes.", example) for example in drawn.examples])
    assert (found["yes_ratio"], found["recall"], found["accuracy"]) == (1, 1, 0.5)
    assert found["f1"] == pytest.approx(2 / 3)


def test_another_rule_can_score_the_same_questions(tmp_path):
    task = task_from("vqav2", tmp_path)
    official = task.scored_by("vqa_soft_official")
    assert {example.scorer for example in official.sample(3)} == {"vqa_soft_official"}
    assert {example.scorer for example in task.drawn(3).scored_by("exact").examples} == {"exact"}
    with pytest.raises(SettingError, match="scorer is 'bleu'"):
        task.scored_by("bleu")


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_offline_the_error_says_what_is_missing_and_what_to_do():
    with pytest.raises(DatasetNotFoundError) as caught:
        load_task("pope", limit=10)
    for part in ("task 'pope'", "lmms-lab-encoder/POPE on the Hugging Face hub", "HF_HUB_OFFLINE", "data_files="):
        assert part in str(caught.value)
    assert isinstance(caught.value, OSError)


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"nowhere\.parquet"):
        load_task("pope", data_files=tmp_path / "nowhere.parquet", limit=1)
    with pytest.raises(DatasetNotFoundError, match="'pope' cannot be had"):
        load_task("pope", data_files=str(tmp_path / "nowhere*.parquet"), limit=1)


def test_files_told_apart_are_refused_where_there_is_one_table(tmp_path):
    path = write(tmp_path / "pope.parquet", published.pope())
    with pytest.raises(SettingError, match=r"data_files is .* a path or several"):
        load_task("pope", data_files={"questions": path}, limit=1)


HOMES = {
    "vqav2": ("lmms-lab-encoder/VQAv2", None, "validation"),
    "gqa": ("lmms-lab-encoder/GQA", "testdev_balanced_instructions", "testdev"),
    "textvqa": ("lmms-lab-encoder/textvqa", None, "validation"),
    "pope": ("lmms-lab-encoder/POPE", None, "test"),
    "scienceqa": ("lmms-lab-encoder/ScienceQA", "ScienceQA-IMG", "test"),
    "mmbench": ("lmms-lab-encoder/MMBench", "en", "dev"),
    "mmstar": ("Lin-Chen/MMStar", None, "val"),
    "ai2d": ("lmms-lab-encoder/ai2d", None, "test"),
    "seed": ("lmms-lab-encoder/SEED-Bench", None, "test"),
    "mme": ("lmms-lab-encoder/MME", None, "test"),
    "clevr": ("HuggingFaceM4/the_cauldron", "clevr", "train"),
}


@pytest.mark.parametrize("name", hub_task_names())
def test_the_hub_is_asked_for_the_published_home(name, tmp_path, monkeypatch):
    """No network here: a stand-in for the hub notes what it is asked for and gives files of ours."""
    import datasets

    repo, config, split = HOMES[name]
    rows = getattr(published, name)()
    parts = (
        {"testdev_balanced_instructions": rows[0], "testdev_balanced_images": rows[1]}
        if name == "gqa"
        else {config: rows}
    )
    asked = []

    def hub(path, name=None, revision=None):
        asked.append((path, name, revision))
        file = write(tmp_path / f"{name}.parquet", parts[name])
        return SimpleNamespace(config=SimpleNamespace(data_files={split: [file]}))

    monkeypatch.setattr(datasets, "load_dataset_builder", hub)
    task = load_task(name, limit=3)
    assert len(task) >= 3
    assert asked[0] == (repo, config, None)
    assert {path for path, *_ in asked} == {repo}
    assert task.full_name == f"{name}/{split}"


def test_the_commit_that_was_read_stands_in_the_version(monkeypatch):
    import datasets

    urls = ["hf://datasets/lmms-lab-encoder/POPE@0123abc/data/test-0.parquet"]
    found = SimpleNamespace(config=SimpleNamespace(data_files={"test": urls}))
    monkeypatch.setattr(datasets, "load_dataset_builder", lambda *_, **__: found)
    monkeypatch.setattr(tables.Table, "column_names", (*BENCHMARKS["pope"].columns, "image"))
    assert load_task("pope").version == "lmms-lab-encoder/POPE @ 0123abc"


def test_a_commit_that_is_named_is_the_one_that_is_read(monkeypatch, tmp_path):
    import datasets

    asked = []

    def hub(path, name=None, revision=None):
        asked.append(revision)
        file = write(tmp_path / "pope.parquet", published.pope())
        return SimpleNamespace(config=SimpleNamespace(data_files={"test": [file]}))

    monkeypatch.setattr(datasets, "load_dataset_builder", hub)
    assert len(load_task("pope", limit=3, revision="0123abc")) >= 3
    assert len(load_task("pope", revision="0123abc").scored_by("exact").sample(1)) >= 1
    assert set(asked) == {"0123abc"}
    with pytest.raises(SettingError, match="revision is '0123abc', but should be left out: data_files"):
        load_task("pope", data_files=str(tmp_path / "pope.parquet"), revision="0123abc")
    with pytest.raises(SettingError, match="left out: digits-vqa is in the box"):
        load_task("digits-vqa", revision="0123abc")


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingPackageError, match=r"needs the package datasets.*pip install 'skipit-nb\[data\]'"):
        load_task("pope", limit=1)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    path = tmp_path / "pope.parquet"
    write(path, published.pope())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TaskDataError, match=r"cannot be read: .* Expected a whole parquet file"):
        load_task("pope", data_files=str(path), limit=1)


def test_another_set_of_columns_is_refused_with_the_one_that_is_missing(tmp_path):
    path = write(
        tmp_path / "pope.parquet", [{key: row[key] for key in row if key != "category"} for row in published.pope()]
    )
    with pytest.raises(TaskDataError, match="no column 'category'"):
        load_task("pope", data_files=path, limit=1)


def test_a_split_without_answers_is_refused():
    with pytest.raises(SettingError, match="split is 'test', but should be one of validation, which have answers"):
        load_task("vqav2", "test")


def test_a_limit_below_one_is_refused(tmp_path):
    with pytest.raises(LimitError, match="limit is 0"):
        task_from("pope", tmp_path, limit=0)


def test_unknown_names_are_refused_with_the_hub_s_too():
    with pytest.raises(UnknownTaskError, match="Known tasks: easy-vqa, digits-vqa, vqav2, gqa"):
        load_task("vqa-3000")


def test_a_broken_image_fails_when_it_is_opened_and_says_whose_it_is(tmp_path):
    rows = published.pope()
    for row in rows:
        row["image"] = {"bytes": row["image"]["bytes"][:40], "path": None}
    example = task_from("pope", tmp_path, rows, limit=1).examples[0]
    with pytest.raises(ImageError, match="encoded image of 40 bytes is not an image") as caught:
        _ = example.image
    assert caught.value.__notes__ == [f"while opening the image of {example.key}"]


# ── through a session ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.model
@pytest.mark.parametrize(("name", "numbers"), [("pope", {"f1", "precision", "recall", "yes_ratio"}), ("mme", {"mme"})])
def test_a_comparison_has_its_benchmark_s_own_numbers(session, name, numbers, tmp_path):
    task = task_from(name, tmp_path)
    found = session.compare(task, b="whole 11", limit=6, measure=("accuracy",))
    assert found.provenance.task == task.full_name
    assert numbers <= set(found.summary.metric)
    assert found.num_questions == len(task.sample(6))
    assert type(found).from_json(found.to_json()) == found


@pytest.mark.model
def test_a_session_offline_says_so(session):
    with pytest.raises(DatasetNotFoundError, match="task 'mmstar' cannot be had"):
        session.compare("mmstar", b="whole 11", limit=6)


@pytest.mark.model
def test_half_a_pair_is_refused_before_the_model_is_asked(session, tmp_path):
    rows = [row for number, row in enumerate(published.mme()) if number]
    with pytest.raises(TooFewSamplesError, match="there are 1, but at least 2"):
        session.compare(task_from("mme", tmp_path, rows), b="whole 11")
