"""Verdicts of the control experiments: input size, pretrained weights, learning rate of a head."""

from vitrine.report.ledger.verdicts.claim import by_interval
from vitrine.report.ledger.verdicts.models import KERAS, PROBE

__all__ = ["CLAIMS"]

SLOW, FAST = "mobilenetv2-int8-slow-head", "mobilenetv2-int8-fast-head"
SMALL, RANDOM = f"{PROBE}-128", "mobilenetv2-random-probe"


CLAIMS = (  # of no announced comparison: an interval decides alone
    by_interval(
        "rate_starves_the_head",
        f"gap.{FAST}.{SLOW}.accuracy",
        text="le même réseau gelé fait mieux dès que sa tête apprend plus vite",
        cautious="nos images ne disent pas si le même réseau gelé fait mieux quand sa tête apprend "
        "plus vite",
        reverse="le même réseau gelé fait moins bien quand sa tête apprend plus vite",
    ),
    by_interval(
        "larger_photos_help",
        f"gap.{PROBE}.{SMALL}.cv_accuracy",
        text="lire de plus grandes photos aide la sonde",
        cautious="rien n’établit que lire de plus grandes photos aide la sonde",
        reverse="lire de plus grandes photos nuit à la sonde",
    ),
    by_interval(
        "small_probe_beats_scratch",
        f"gap.{SMALL}.{KERAS}.accuracy",
        text="sur des photos de même côté, la sonde l’emporte encore sur le réseau parti de zéro",
        cautious="sur des photos de même côté, plus de différence détectable entre la sonde et le "
        "réseau parti de zéro",
        reverse="sur des photos de même côté, le réseau parti de zéro l’emporte sur la sonde",
    ),
    by_interval(
        "learned_weights_help",
        f"gap.{PROBE}.{RANDOM}.cv_accuracy",
        text="ce sont les poids appris ailleurs, non la forme du réseau, qui font la sonde",
        cautious="rien n’établit que les poids appris ailleurs valent mieux que des poids tirés au "
        "hasard",
        reverse="des poids tirés au hasard valent mieux que les poids appris ailleurs",
    ),
)
