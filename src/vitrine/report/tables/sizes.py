"""Tables of networks: parameters and multiply-adds, modules of a block, cited ablations."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from vitrine.report.fr import number
from vitrine.report.words import WORDS

__all__ = ["ablations", "block", "networks"]

_ABLATION_COLUMNS = WORDS["ablation-columns"]
_KINDS_FR = WORDS["modules"]


def networks(
    published: pd.DataFrame, counted: Mapping[str, tuple[int, float]], sides: Mapping[str, int]
) -> pd.DataFrame:
    """List networks with what was published of them and what is counted here.

    Args:
        published: ``ressources/mambavision_published.csv``.
        counted: By name of network, its parameters and its multiply-adds for one image.
        sides: By name of network, the side of that image, in pixels.
    """
    known = published.set_index("architecture").reindex(list(counted))
    sizes = pd.DataFrame.from_dict(counted, orient="index", columns=["parameters", "adds"])
    return pd.DataFrame(
        {
            "Architecture": list(counted),
            "Image (px)": [sides[name] for name in counted],
            "Paramètres publiés (M)": [_tenths(x) for x in known.parameters_m],
            "comptés (M)": sizes.parameters.to_numpy() / 1e6,
            "GFLOP publiés": [_tenths(x) for x in known.gflops],
            "comptés (G)": sizes.adds.to_numpy() / 1e9,
            "Top-1 publié (%)": [_tenths(x) for x in known.top1],
            "Images/s (A100)": [_whole(n) for n in known.images_per_second_a100],
        }
    )


def _tenths(published: float) -> str:
    return "" if pd.isna(published) else number(published, 1)


def _whole(count: float) -> str:
    return "" if pd.isna(count) else number(int(count))


def ablations(cited: pd.DataFrame, study: str) -> pd.DataFrame:
    """List the variants of one study in the authors' order; a column that they left out has none.

    Args:
        cited: ``ressources/mambavision_ablations.csv``.
        study: ``mixer``, ``pattern`` or ``window``.
    """
    rows = cited[cited.study == study].sort_values("order")
    table = rows[list(_ABLATION_COLUMNS)].dropna(axis="columns", how="all")
    if "images_per_second_a100" in table:
        table = table.assign(images_per_second_a100=[_whole(n) for n in table.iloc[:, -1]])
    return table.rename(columns=_ABLATION_COLUMNS).reset_index(drop=True)


def block(parts: Sequence[Any]) -> pd.DataFrame:
    """List the modules of a block in the order in which they run.

    Args:
        parts: What ``anatomy.parts`` returned.
    """
    return pd.DataFrame(
        [
            {
                "Module": part.name,
                "Ce que c’est": _KINDS_FR.get(part.kind, part.kind),
                "Taille de la réponse": " × ".join(map(str, part.shape)),
                "Paramètres": part.parameters,
            }
            for part in parts
        ]
    )
