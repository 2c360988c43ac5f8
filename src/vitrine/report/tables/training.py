"""Tables of trainings: learning rates tried, pretrainings."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vitrine.metrics import Interval
from vitrine.metrics.metrics import accuracy, log_loss
from vitrine.report.fr import percent
from vitrine.report.tables.shown import with_interval
from vitrine.training.runs import Run
from vitrine.training.runs.energy import watt_hours

__all__ = ["pretrainings", "rates"]


def rates(tried: Sequence[Run]) -> pd.DataFrame:
    """List what each way to begin learned with each learning rate, judged on validation alone.

    Args:
        tried: One run a way and a rate.
    """
    rows = []
    for run in tried:
        held_out = run.part("validation")
        truth, given = held_out.truth, held_out.probabilities
        begun = "sonde" if run.meta["recipe"].get("head") == "probe" else "au hasard"
        rows.append(
            {
                "Départ de la tête": begun,
                "Taux maximal": run.meta["recipe"]["learning_rate"],
                "Exactitude, validation (%)": 100 * accuracy(truth, given),
                "Perte, validation": log_loss(truth, given),
            }
        )
    return pd.DataFrame(rows)


def pretrainings(
    trained: Mapping[str, Run], scores: Mapping[str, Sequence[Interval]]
) -> pd.DataFrame:
    """List what each pretraining saw, took and learned.

    Args:
        trained: By name on screen, the run.
        scores: By the same name, its accuracy to one guess, then to five.
    """
    rows = []
    for name, run in trained.items():
        timing, first = run.meta["timing"], scores[name]
        rows.append(
            {
                "Préentraînement": name,
                "Images vues (milliers)": run.history.images.iloc[-1] / 1e3,
                "Durée (min)": timing["training_seconds"] / 60,
                "Processeur (min)": timing["cpu_seconds"] / 60,
                "Images/s": float(timing["images_per_second"]),
                "Attente des données": percent(timing["waited_share"], 2),
                "Top-1": with_interval("accuracy", first[0]),
                "Top-5": with_interval("accuracy", first[1]),
                "Énergie (Wh, estimée)": watt_hours(run.meta) or np.nan,
            }
        )
    return pd.DataFrame(rows)
