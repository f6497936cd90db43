"""Statistics of a paired comparison: the same questions answered under A and under B. Pure arithmetic, no model.

Scores are 0 to 1; differences are B - A; intervals are two-sided at 95 %.

| file                             | answers                                                     |
| -------------------------------- | ----------------------------------------------------------- |
| `paired`                         | how large is the difference? The interval that decides      |
| `noninferiority`                 | is it within the margin?                                    |
| `sign_flip`                      | would A and B differ so much by chance, images taken whole? |
| `mcnemar`                        | the same by question; decides nothing                       |
| `power`                          | how many questions does the next run need?                  |
| `subgroups`                      | on which kinds of question?                                 |
| `max_t`, `holm`                  | and if I look at many sets, or kinds?                       |
| `anytime_interval`, `early_stop` | and if I look while it runs?                                |
| `noise`                          | and if nothing changed but the batches?                     |
"""

from skipit_nb.backend.evaluation.statistics.anytime_interval import anytime_interval
from skipit_nb.backend.evaluation.statistics.clusters import ClusteredMean, by_cluster, clustered_mean
from skipit_nb.backend.evaluation.statistics.early_stop import (
    log_evidence_above,
    log_evidence_below,
    log_evidence_of_difference,
    log_evidence_of_flips,
)
from skipit_nb.backend.evaluation.statistics.holm import holm
from skipit_nb.backend.evaluation.statistics.interval import LEVEL, Interval
from skipit_nb.backend.evaluation.statistics.max_t import Together, max_t
from skipit_nb.backend.evaluation.statistics.mcnemar import exact_mcnemar, mid_p_mcnemar
from skipit_nb.backend.evaluation.statistics.noise import noise_floor
from skipit_nb.backend.evaluation.statistics.noninferiority import equivalence_p, noninferiority_p
from skipit_nb.backend.evaluation.statistics.paired import FEWEST_FLIPS, Paired, delta_interval, flips
from skipit_nb.backend.evaluation.statistics.power import (
    mde,
    minimal_detectable_effect,
    noninferiority_power,
    power,
    questions_needed,
)
from skipit_nb.backend.evaluation.statistics.ratio import ratio_interval
from skipit_nb.backend.evaluation.statistics.sign_flip import cluster_sign_flip
from skipit_nb.backend.evaluation.statistics.subgroups import subgroups
from skipit_nb.backend.evaluation.statistics.tango import tango_interval

__all__ = [
    "FEWEST_FLIPS",
    "LEVEL",
    "ClusteredMean",
    "Interval",
    "Paired",
    "Together",
    "anytime_interval",
    "by_cluster",
    "cluster_sign_flip",
    "clustered_mean",
    "delta_interval",
    "equivalence_p",
    "exact_mcnemar",
    "flips",
    "holm",
    "log_evidence_above",
    "log_evidence_below",
    "log_evidence_of_difference",
    "log_evidence_of_flips",
    "max_t",
    "mde",
    "mid_p_mcnemar",
    "minimal_detectable_effect",
    "noise_floor",
    "noninferiority_p",
    "noninferiority_power",
    "power",
    "questions_needed",
    "ratio_interval",
    "subgroups",
    "tango_interval",
]
