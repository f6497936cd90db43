"""`Session`: one open vision-language model, and every question you can ask it."""

from __future__ import annotations

import pandas  # noqa: F401, ICN001 - for tables, later; but while a session opens no garbage is collected: 0.2 s, not 0.5

from skipit_nb.session.asking import ANSWER_TOKENS, Asks, UnknownWordsWarning
from skipit_nb.session.checking import Verifies
from skipit_nb.session.judging import Judges
from skipit_nb.session.measuring import Measures
from skipit_nb.session.reproducing import Reproduces
from skipit_nb.session.selecting import Selects
from skipit_nb.session.stressing import Stresses
from skipit_nb.session.theory import Theorises
from skipit_nb.signature import held_class

__all__ = ["ANSWER_TOKENS", "Session", "UnknownWordsWarning"]


@held_class
class Session(Asks, Measures, Theorises, Selects, Judges, Verifies, Stresses, Reproduces):
    """A live model and what can be asked of it: profile it, skip its layers, compare skip sets.

    `model` and `processor` stay plain Hugging Face objects and are never changed: a skip set is on them only inside
    `with session.skipping(...)`. Every method may be called from any thread; long ones take the model per batch, so
    that a quick question gets in between.

    Example:
        >>> session = Session.open()  # doctest: +SKIP
        >>> profile = session.profile("digits-vqa", limit=64)  # doctest: +SKIP
        >>> session.compare("digits-vqa", b=session.recommend(profile).skipset, limit=500)  # doctest: +SKIP
    """
