import pytest

from skipit_nb.backend.tasks import Example, score


def asked(right):
    return Example("pope/0", "is there a dog?", right, "random", "image-0", lambda: None, scorer="yes_no")


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("yes", "yes"),
        ("Yes.", "yes"),
        ("YES!", "yes"),
        ("No", "no"),
        (" no, there is no dog", "no"),
        ("Yes, there is no cat", "yes"),
        ("**Yes**", "yes"),
        ("Answer: yes", "yes"),
        ("The answer is no.", "no"),
        ("Yes, and it is brown", "yes"),
    ],
)
def test_the_leading_word_is_read(said, read):
    for right in ("yes", "no"):
        found = score(said, asked(right))
        assert (found.value, found.parsed) == (float(read == right), True)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "dog",
        "not sure",
        "Yesterday",
        "Nobody",
        "none",
        "maybe yes",
        "yes or no",
        "Yes/No",
        "No and yes",
        "y",
        "oui",
    ],
)
def test_nothing_else_is_taken_for_yes_or_no(said):
    """Official scripts call garbage yes, and read "Yesterday" as yes and "not" as no."""
    for right in ("yes", "no"):
        found = score(said, asked(right))
        assert (found.value, found.parsed, found.rule) == (0.0, False, "unparsed")
