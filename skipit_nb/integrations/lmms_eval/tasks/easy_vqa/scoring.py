"""The score of one answer, for lmms-eval: it imports nothing, so that the folder can be copied anywhere."""


def process_results(doc, results):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - read by lmms-eval alone
    """Exact match: case, space around the answer and punctuation at its end do not count."""
    given, right = (text.strip().lower().rstrip(".,;:!?").strip() for text in (results[0], doc["answer"]))
    # lmms-eval leaves the row out of its logs; with the image in them, a reader knows which questions share one.
    return {"exact_match": float(given == right), "cluster": doc["cluster"]}
