"""Names of recipes on screen and in sentences."""

__all__ = ["model_lines", "model_name"]

WORDS = {
    "scratch": "de zéro", "short": "de zéro, en bref", "pretrain": "préentraînement",
    "distilled": "distillé", "transfer": "réglage fin", "probe": "sonde", "clock": "à durée égale",
    "scan": "balayage", "identity": "identité", "conv": "convolution",
    "tiny": "T", "stacked": "pondérés sur la validation", "frozen": "gelée",
}  # fmt: skip
"""What the words of a recipe's name are on screen."""
LINE = 20
"""Characters of a line beside a narrow figure."""

_FAMILIES = {
    "efficientnet-b0-keras": "EfficientNet-B0, TensorFlow",
    "efficientnet-b0-torch": "EfficientNet-B0, PyTorch",
    "efficientnet-b0": "EfficientNet-B0",
    "efficientnet-lite-ensemble": "EfficientNet-Lite0, 1 et 2, ensemble",
    "efficientnet-lite012": "EfficientNet-Lite0, 1 et 2",
    "efficientnet-lite0-keras": "EfficientNet-Lite0, TensorFlow",
    "efficientnet-lite0-torch": "EfficientNet-Lite0, PyTorch",
    "efficientnet-lite0": "EfficientNet-Lite0",
    "efficientnet-lite1": "EfficientNet-Lite1",
    "efficientnet-lite2": "EfficientNet-Lite2",
    "mambavision-micro-mixer": "MambaVision micro",
    "mambavision": "MambaVision",
    "mobilenetv2-int8-probe": "MobileNetV2 int8, sonde linéaire",
    "histogram-hog": "Histogramme et HOG",
    "majority": "Classe majoritaire",
    "text-title-description": "Titre et description",
    "text-title": "Titre",
    "title-and-image": "Titre et photo",
    "text-and-image": "Titre, description et photo",
}
"""The beginning of a recipe's name, the longest first where one begins another."""


def model_name(recipe: str) -> str:
    """Return what a recipe is called on screen.

    A recipe of a known family keeps what sets it apart: ``mambavision-micro-scratch`` is
    « MambaVision (micro, de zéro) ».
    """
    recipe = recipe.removesuffix("-smoke")
    prefix = next((known for known in _FAMILIES if recipe.startswith(known)), "")
    name = _FAMILIES.get(prefix, recipe)
    rest = recipe.removeprefix(prefix or recipe).strip("-").split("-")
    if "probe" in rest and "transfer" in rest:  # frozen features: nothing is tuned
        rest.remove("transfer")
    said = [WORDS.get(word, word) for word in rest if word]
    return f"{name} ({', '.join(said)})" if said else name


def model_lines(recipe: str) -> str:
    """Return the name of a model on two lines or three, for a narrow screen."""
    first, _, rest = _broken(model_name(recipe)).partition("<br>")
    if not rest:
        return first
    return f"{first}<br>{rest if len(rest) <= LINE else _broken(rest)}"


def _broken(name: str) -> str:
    return name.replace(", ", ",<br>", 1) if ", " in name else name.replace(" (", "<br>(", 1)
