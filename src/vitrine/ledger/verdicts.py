"""Sentences of the book that must be true: each is declared with what decides it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vitrine.catalog import CLASSES
from vitrine.ledger.values import Value

__all__ = ["CLAIMS", "Claim", "decide"]

Ledger = Mapping[str, Value]


ALIKE = 0.5
"""Rank correlation above which two maps of a photo are called alike."""
_OTHER_CORRUPTIONS = ("blur", "jpeg", "brightness", "crop")
ALPHA = 0.05
"""Level of the tests, after correction over the table of announced comparisons."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence bound to the ledger.

    Attributes:
        key: Name under which prose calls it.
        text: What is said when it is true, in French, without a number.
        cautious: What is said when the data cannot tell (the interval holds zero).
        reverse: What is said when it is false; without it, a false claim stops the build.
        expression: The condition in words, shown in the tooltip.
        needs: Keys that must be in the ledger; without them the claim is left out.
        holds: True, false, or ``None`` when undecided.
    """

    key: str
    text: str
    cautious: str
    reverse: str | None = None
    expression: str
    needs: tuple[str, ...]
    holds: Callable[[Ledger], bool | None]


def _sign(key: str, test: str | None = None) -> Callable[[Ledger], bool | None]:
    """Return a decision: true if the whole interval is above zero, false if below, else undecided.

    Args:
        key: Gap, with its interval.
        test: Corrected p-value that must agree; without it the interval decides alone.
    """

    def decided(ledger: Ledger) -> bool | None:
        entry = ledger[key]
        if entry.low is None or entry.high is None:
            raise ValueError(f"expected an interval for {key} in the ledger, found none")
        if entry.low <= 0 <= entry.high or (test and ledger[test].value >= ALPHA):
            return None
        return entry.low > 0

    return decided


def _paired(
    name: str, candidate: str, baseline: str, *, text: str, cautious: str, reverse: str
) -> Claim:
    """Return the claim of an announced comparison: its interval and its test must agree."""
    gap = f"gap.{candidate}.{baseline}"
    return Claim(
        key=name,
        text=text,
        cautious=cautious,
        reverse=reverse,
        expression=f"intervalle à 95 % de {gap}.accuracy d’un seul côté de zéro, et test de "
        "McNemar corrigé (Holm) sous 0,05 ; indécis sinon",
        needs=(f"{gap}.accuracy", f"{gap}.mcnemar_holm"),
        holds=_sign(f"{gap}.accuracy", f"{gap}.mcnemar_holm"),
    )


def _published_gaps_are_small(ledger: Ledger) -> bool:
    gaps = [abs(ledger[key].value) for key in _POC_GAPS]
    return 100 * max(gaps) < ledger["power.smallest_gap"].value


def _with_recipes(ledger: Ledger, key: str) -> list[str]:
    return [name.removesuffix(f".{key}") for name in ledger if name.endswith(f".{key}")]


def _leaks_change_nothing(ledger: Ledger) -> bool:
    return all(
        ledger[f"{recipe}.accuracy"].low
        <= ledger[f"{recipe}.accuracy_clean"].value
        <= ledger[f"{recipe}.accuracy"].high
        for recipe in _with_recipes(ledger, "accuracy_clean")
    )


def _all_learn(ledger: Ledger) -> bool:
    trained = [r for r in _with_recipes(ledger, "accuracy_clean") if r != "majority"]
    floor = ledger["majority.accuracy"].high
    return all(ledger[f"{recipe}.accuracy"].low > floor for recipe in trained)


_PROBE, _HOG = "mobilenetv2-int8-probe", "histogram-hog"
_KERAS, _TORCH = "efficientnet-b0-keras-scratch", "efficientnet-b0-torch-scratch"
_MICRO = "mambavision-micro-scratch"
_POC_GAPS = tuple(f"poc_gap.mambavision-{size}.accuracy" for size in ("t", "s", "b"))


def _noise_is_worst(ledger: Ledger) -> bool:
    """Tell whether strong noise costs every model, and more than any other corruption."""
    for recipe in _with_recipes(ledger, "change_noise_5"):
        noise = ledger[f"{recipe}.change_noise_5"]
        others = [ledger[f"{recipe}.change_{name}_5"].value for name in _OTHER_CORRUPTIONS]
        if noise.high >= 0 or noise.value > min(others):
            return False
    return True


def _jpeg_leaves_scratch(ledger: Ledger) -> bool:
    asked = [r for r in _with_recipes(ledger, "change_jpeg_5") if r.endswith("-scratch")]
    changes = [ledger[f"{recipe}.change_jpeg_5"] for recipe in asked]
    return all(change.low <= 0 <= change.high for change in changes)


def _alike(name: str) -> Callable[[Ledger], bool | None]:
    """Return a decision: true if shuffled weights leave the maps alike for every network asked."""

    def decided(ledger: Ledger) -> bool | None:
        key = f"likeness_{name}"
        alike = {ledger[f"{r}.{key}"].value > ALIKE for r in _with_recipes(ledger, key)}
        return alike.pop() if len(alike) == 1 else None

    return decided


def _differs(name: str) -> Callable[[Ledger], bool | None]:
    """Return the opposite of ``_alike``."""

    def decided(ledger: Ledger) -> bool | None:
        alike = _alike(name)(ledger)
        return None if alike is None else not alike

    return decided


def _reads_coarse(recipe: str, key: str) -> Claim:
    """Say whether a network relies more on the low frequencies of a photo than on its details."""
    gap = f"{recipe}.loss_gap_low_high"
    return Claim(
        key=key,
        text="les formes et les couleurs d’ensemble comptent plus que les détails",
        cautious="rien n’établit que les formes d’ensemble comptent plus ou moins que les détails",
        reverse="les détails comptent plus que les formes et les couleurs d’ensemble",
        expression=f"intervalle à 95 % de {gap} d’un seul côté de zéro ; indécis sinon",
        needs=(gap,),
        holds=_sign(gap),
    )


def _above_chance(recipe: str, name: str, network: str) -> Claim:
    key = f"{recipe}.accuracy"
    chance = 1 / len(CLASSES)

    def test(ledger: Ledger) -> bool | None:
        if ledger[key].low > chance:
            return True
        return False if ledger[key].high < chance else None

    return Claim(
        key=name,
        text=f"{network} fait mieux que le hasard",
        cautious=f"les images de test ne disent pas si {network} fait mieux que le hasard",
        expression=f"intervalle à 95 % de {key} entièrement au-dessus de 1/{len(CLASSES)}",
        needs=(key,),
        holds=test,
    )


def _miscalibrated(recipe: str, name: str) -> Claim:
    """Say whether the error of calibration is more than honest probabilities would show."""
    observed, honest = (f"{recipe}.calibration_error_{k}" for k in ("one_run", "if_honest"))
    return Claim(
        key=name,
        text="les probabilités annoncées ne sont pas tenues : l’erreur de calibration dépasse ce "
        "que le hasard explique",
        cautious="rien n’indique que les probabilités annoncées soient fausses : l’erreur de "
        "calibration reste celle qu’aurait un modèle bien calibré sur si peu d’images",
        expression=f"{observed} au-dessus de l’intervalle à 95 % de {honest}",
        needs=(observed, honest),
        holds=lambda ledger: True if ledger[observed].value > ledger[honest].high else None,
    )


CLAIMS = (
    _above_chance(_KERAS, "keras_above_chance", "le réseau entraîné avec TensorFlow"),
    _above_chance(_TORCH, "torch_above_chance", "le réseau entraîné avec PyTorch"),
    _miscalibrated(_KERAS, "keras_miscalibrated"),
    _miscalibrated(_TORCH, "torch_miscalibrated"),
    Claim(
        key="duplicates_agree",
        text="aucune paire de doublons ne réunit deux catégories",
        cautious="",
        expression="data.pairs_mixed_labels = 0",
        needs=("data.pairs_mixed_labels",),
        holds=lambda ledger: ledger["data.pairs_mixed_labels"].value == 0,
    ),
    _paired(
        "probe_beats_scratch",
        _PROBE,
        _KERAS,
        text="la sonde linéaire sur des caractéristiques préentraînées l’emporte sur le réseau "
        "entraîné de zéro",
        cautious="les données ne départagent pas la sonde préentraînée et le réseau entraîné de "
        "zéro",
        reverse="le réseau entraîné de zéro l’emporte sur la sonde préentraînée",
    ),
    Claim(
        key="probe_beats_classical",
        text="les caractéristiques apprises sur ImageNet l’emportent sur les descripteurs "
        "classiques",
        cautious="les données ne départagent pas les caractéristiques apprises et les descripteurs "
        "classiques",
        reverse="les descripteurs classiques l’emportent sur les caractéristiques apprises",
        expression=f"intervalle corrigé à 95 % de gap.{_PROBE}.{_HOG}.cv_accuracy d’un seul côté "
        "de zéro ; indécis sinon",
        needs=(f"gap.{_PROBE}.{_HOG}.cv_accuracy",),
        holds=_sign(f"gap.{_PROBE}.{_HOG}.cv_accuracy"),
    ),
    _paired(
        "scratch_against_classical",
        _KERAS,
        _HOG,
        text="entraîné de zéro, EfficientNet-B0 fait mieux que les descripteurs classiques",
        cautious="entraîné de zéro, EfficientNet-B0 ne se distingue pas des descripteurs "
        "classiques avec les images dont nous disposons",
        reverse="entraîné de zéro, EfficientNet-B0 fait moins bien que les descripteurs classiques",
    ),
    _paired(
        "frameworks_differ",
        _TORCH,
        _KERAS,
        text="à recette égale, nos exécutions en PyTorch font mieux que nos exécutions en "
        "TensorFlow",
        cautious="à recette égale, rien n’indique que le choix de la bibliothèque compte",
        reverse="à recette égale, nos exécutions en TensorFlow font mieux que nos exécutions en "
        "PyTorch",
    ),
    _paired(
        "architectures_differ",
        _MICRO,
        _TORCH,
        text="à recette et taille égales, MambaVision fait mieux qu’EfficientNet-B0",
        cautious="à recette et taille égales, nos images ne départagent pas MambaVision et "
        "EfficientNet-B0",
        reverse="à recette et taille égales, EfficientNet-B0 fait mieux que MambaVision",
    ),
    Claim(
        key="poc_below_power",
        text="les écarts publiés entre MambaVision et EfficientNet-B0 sont plus petits que ce que "
        "ces images permettent de déceler",
        cautious="",
        reverse="un des écarts publiés entre MambaVision et EfficientNet-B0 dépasse ce que ces "
        "images permettent de déceler, sans prédictions pour le tester",
        expression="plus grand poc_gap.mambavision-*.accuracy sous power.smallest_gap",
        needs=(*_POC_GAPS, "power.smallest_gap"),
        holds=_published_gaps_are_small,
    ),
    Claim(
        key="leaks_change_nothing",
        text="sans les images de test qui ont un double ailleurs, l’exactitude de chaque modèle "
        "reste dans son intervalle",
        cautious="",
        reverse="sans les images de test qui ont un double ailleurs, l’exactitude d’au moins un "
        "modèle sort de son intervalle",
        expression="accuracy_clean dans l’intervalle à 95 % de accuracy, pour chaque recette",
        needs=("data.test_leaked",),
        holds=_leaks_change_nothing,
    ),
    Claim(
        key="all_learn",
        text="tous les modèles entraînés font mieux que la réponse constante",
        cautious="",
        reverse="au moins un modèle entraîné ne fait pas mieux que la réponse constante",
        expression="intervalle à 95 % de accuracy au-dessus de celui de majority, pour chaque "
        "recette",
        needs=("majority.accuracy",),
        holds=_all_learn,
    ),
    Claim(
        key="noise_breaks_all",
        text="c’est un bruit fort qui coûte le plus à chacun des modèles interrogés",
        cautious="",
        reverse="le bruit fort n’est pas ce qui coûte le plus à chacun des modèles interrogés",
        expression="pour chaque recette, change_noise_5 entièrement sous zéro et le plus bas des "
        "cinq change_*_5",
        needs=(f"{_TORCH}.change_noise_5",),
        holds=_noise_is_worst,
    ),
    Claim(
        key="jpeg_leaves_scratch",
        text="nous ne mesurons aucun effet d’une forte compression JPEG sur les réseaux entraînés "
        "de zéro",
        cautious="",
        reverse="une forte compression JPEG change l’exactitude d’au moins un des réseaux "
        "entraînés de zéro",
        expression="intervalle à 95 % de change_jpeg_5 contenant zéro, pour chaque réseau "
        "entraîné de zéro",
        needs=(f"{_TORCH}.change_jpeg_5", f"{_KERAS}.change_jpeg_5"),
        holds=_jpeg_leaves_scratch,
    ),
    Claim(
        key="larger_input_helps",
        text="une entrée un peu plus grande qu’à l’entraînement aide le réseau PyTorch",
        cautious="les images ne suffisent pas à établir qu’une entrée un peu plus grande qu’à "
        "l’entraînement aide le réseau PyTorch",
        reverse="une entrée un peu plus grande qu’à l’entraînement nuit au réseau PyTorch",
        expression=f"intervalle à 95 % de {_TORCH}.change_input_160 d’un seul côté de zéro ; "
        "indécis sinon",
        needs=(f"{_TORCH}.change_input_160",),
        holds=_sign(f"{_TORCH}.change_input_160"),
    ),
    _reads_coarse(_TORCH, "coarse_before_fine"),
    _reads_coarse(_MICRO, "mambavision_reads_coarse"),
    Claim(
        key="probe_reads_coarse",
        text="ce sont les formes et les couleurs d’ensemble qui comptent le plus",
        cautious="rien n’établit que les formes d’ensemble comptent plus ou moins que les détails",
        reverse="ce sont au contraire les détails qui comptent le plus",
        expression=f"intervalle à 95 % de {_PROBE}.loss_gap_low_high d’un seul côté de zéro",
        needs=(f"{_PROBE}.loss_gap_low_high",),
        holds=_sign(f"{_PROBE}.loss_gap_low_high"),
    ),
    Claim(
        key="gradients_follow_the_photo",
        text="les gradients intégrés suivent en bonne partie la photo, que le réseau ait appris ou "
        "non",
        cautious="selon le réseau, les gradients intégrés suivent surtout la photo ou surtout ce "
        "qu’il a appris",
        reverse="les gradients intégrés dépendent surtout de ce que le réseau a appris",
        expression=f"likeness_gradients au-dessus de {ALIKE} pour chaque réseau examiné",
        needs=(f"{_TORCH}.likeness_gradients",),
        holds=_alike("gradients"),
    ),
    Claim(
        key="occlusion_follows_the_weights",
        text="l’occlusion dépend de ce que le réseau a appris",
        cautious="selon le réseau, l’occlusion dépend surtout de ce qu’il a appris ou surtout de "
        "la photo",
        reverse="l’occlusion suit en bonne partie la photo, que le réseau ait appris ou non",
        expression=f"likeness_occlusion sous {ALIKE} pour chaque réseau examiné",
        needs=(f"{_TORCH}.likeness_occlusion",),
        holds=_differs("occlusion"),
    ),
)
"""Every sentence that prose may call with the role ``verdict``."""


def decide(ledger: Ledger) -> dict[str, dict[str, str]]:
    """Return the state and the wording of each claim whose values are in the ledger."""
    verdicts = {}
    for claim in CLAIMS:
        if not all(key in ledger for key in claim.needs):
            continue
        held, text = claim.holds(ledger), claim.text
        if held is None:
            text = claim.cautious
        elif not held and claim.reverse:
            held, text = True, claim.reverse
        state = "undecided" if held is None else str(held).lower()
        verdicts[claim.key] = {"state": state, "text": text, "expression": claim.expression}
    return verdicts
