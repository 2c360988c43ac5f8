"""Tables of choices: the hyper-parameters of a recipe, other readings of the papers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vitrine.report.fr import THIN, number, significant
from vitrine.training.recipes import Recipe

__all__ = ["CHOICES", "departures", "recipe"]

CHOICES = {
    "architecture": ("Réseau", "celui que l’on compare ; tout le reste est commun"),
    "weights": ("Poids de départ", "ce que le réseau sait avant de voir nos photos"),
    "image_size": ("Côté de l’image (px)", "assez pour reconnaître un objet, peu à calculer"),
    "windows": ("Côtés des fenêtres", "elles couvrent la carte entière à cette taille d’image"),
    "mixer": ("Mélangeur", "ce qui tient la place du balayage ; tout le reste est commun"),
    "batch_size": ("Images par pas", "assez pour que la normalisation par lots soit stable"),
    "epochs": ("Époques", "combien de fois le réseau revoit des photos si rares"),
    "budget": ("Durée d’entraînement (s)", "le même temps de calcul pour toutes les architectures"),
    "head_epochs": ("Époques de la tête seule", "elle apprend sans déformer le tronc préentraîné"),
    "warmup_epochs": (
        "Époques de montée en régime",
        "un taux qui croît évite de diverger",
    ),
    "optimizer": ("Optimiseur", "la règle qui change les poids à chaque pas"),
    "learning_rate": ("Taux d’apprentissage maximal", "il redescend ensuite en demi-cosinus"),
    "layer_decay": ("Décroissance par couche", "les premières couches, générales, bougent moins"),
    "weight_decay": (
        "Décroissance des poids",
        "freine les poids inutiles ; biais et normes exclus",
    ),
    "label_smoothing": ("Lissage des étiquettes", "décourage les réponses trop sûres d’elles"),
    "drop_rate": ("Dropout avant la tête", "aucune caractéristique n’est indispensable"),
    "drop_path_rate": ("Profondeur stochastique", "des blocs sautés : aucun n’est irremplaçable"),
    "norm_momentum": (
        "Dernier lot dans les moyennes",
        "celui de Keras, pour que les deux bibliothèques oublient aussi lentement",
    ),
    "frozen_norm": (
        "Normalisation gardée",
        "ses moyennes et ses échelles restent celles d’ImageNet",
    ),
    "head": (
        "Tête de départ",
        "« probe » part de la sonde, pour ne pas abîmer ce que le réseau sait",
    ),
    "crop_scale": ("Part minimale du recadrage", "l’objet n’est ni toujours entier ni centré"),
    "flip": ("Miroir horizontal", "un produit retourné reste le même produit"),
    "jitter": ("Variation des couleurs", "la lumière du studio ne doit pas être un indice"),
    "randaugment": ("RandAugment", "des déformations tirées au sort, d’amplitude fixée"),
    "mixup": ("Mixup", "des photos mélangées adoucissent la frontière entre catégories"),
    "cutmix": ("CutMix", "un morceau d’une photo collé sur une autre"),
    "ema_decay": ("Moyenne des poids", "une moyenne mobile varie moins qu’une époque isolée"),
    "teacher": ("Maître", "l’élève apprend ses réponses au lieu des étiquettes"),
    "teacher_head": ("Tête du maître", "« probe » est apprise sur le corpus, « own » d’ImageNet"),
    "teacher_size": ("Côté vu par le maître (px)", "il connaît des images plus grandes"),
    "crops": ("Recadrages fixes", "maître et élève voient les mêmes pixels, tour à tour"),
    "patience": (
        "Patience (époques)",
        "zéro : pas d’arrêt, la dernière époque est gardée",
    ),
}
"""Field of a recipe: its French name, and what the choice is for."""
ALWAYS = ("architecture", "weights", "batch_size", "patience")
"""Fields listed even where they keep their neutral value: that too is a choice."""
UNSEEN = 1e-9
"""Relative effect under which two results in float64 differ by rounding alone."""


def recipe(chosen: Recipe) -> pd.DataFrame:
    """List what a recipe decides, and what each choice is for.

    Options that the recipe leaves at their neutral value are left out.
    """
    neutral = {field.name: field.default for field in chosen.__dataclass_fields__.values()}
    rows = []
    for field, (label, purpose) in CHOICES.items():
        value = getattr(chosen, field)
        if value != neutral[field] or field in ALWAYS:
            rows.append({"Choix": label, "Valeur": _choice(value), "À quoi il sert": purpose})
    return pd.DataFrame(rows)


def _choice(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, int | float):
        return significant(value, 6)
    if isinstance(value, tuple):
        return " et ".join(map(_choice, value))
    return {"none": "aucun"}.get(str(value), str(value))


def departures(
    effects: Mapping[str, Mapping[str, float]], origins: Mapping[str, str]
) -> pd.DataFrame:
    """List choices, where another reading of them comes from, and how far it moves the logits.

    Args:
        effects: By image, the relative effect of each choice, 1 for logits moved by their own norm.
        origins: By choice, who suggests the other reading.
    """
    names = [name.replace("<br>", " ") for name in origins]
    table = pd.DataFrame({"Si l’on écrivait": names, "D’après": list(origins.values())})
    for image, moved in effects.items():
        table[image] = [_moved(moved[name]) for name in origins]
    return table


def _moved(share: float) -> str:
    """Write a relative effect as a percentage of two significant digits."""
    if share < UNSEEN:
        return "aucun"
    digits = max(0, 1 - int(np.floor(np.log10(100 * share))))
    return f"{number(float(f'{100 * share:.2g}'), digits)}{THIN}%"
