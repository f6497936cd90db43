"""Print the folder of our tasks for lmms-eval: `--include_path "$(python -m skipit_nb.integrations.lmms_eval)"`."""

from skipit_nb.integrations.lmms_eval import TASKS

if __name__ == "__main__":
    print(TASKS)  # noqa: T201 - that is what it is for
