"""easy-VQA, written by `write_task`: the test questions and images of the package easy-vqa, under its licence."""
