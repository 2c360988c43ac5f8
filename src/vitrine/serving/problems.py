"""The errors of the service: one code, one HTTP status, one French sentence each.

The body is that of RFC 9457, https://www.rfc-editor.org/rfc/rfc9457, with a stable ``code`` and the
``request_id`` to look for in the logs. Nothing of the program is told: no class, path or stack.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.data.images import ImageError, Limits
from vitrine.report.fr import THIN, number, significant
from vitrine.serving.settings import Settings

__all__ = ["PROBLEMS", "ProblemError", "body_of", "of_image", "texts"]

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its HTTP status and its French words.

    Attributes:
        status: HTTP status.
        title: What happened, in a few French words.
        detail: What was expected and what to do; filled in with the limits in force.
    """

    status: int
    title: str
    detail: str


PROBLEMS: Mapping[str, Kind] = {
    "fichier_vide": Kind(
        400, "Fichier vide", "Le fichier reçu ne contient aucun octet. Choisissez-en un autre."
    ),
    "requete_invalide": Kind(
        422,
        "Requête invalide",
        "La requête n’a pas la forme attendue. Consultez la documentation, à l’adresse /docs.",
    ),
    "non_autorise": Kind(
        401,
        "Accès non autorisé",
        "Indiquez la clé d’accès dans l’en-tête X-API-Key, ou Authorization: Bearer.",
    ),
    "introuvable": Kind(404, "Adresse introuvable", "Aucun service ne répond à cette adresse."),
    "methode_non_permise": Kind(
        405, "Méthode non permise", "Cette adresse n’accepte pas cette méthode HTTP."
    ),
    "delai_depasse": Kind(
        408, "Délai dépassé", "La requête n’est pas arrivée en entier en {body_timeout_s}\u00a0s."
    ),
    "fichier_trop_volumineux": Kind(
        413,
        "Fichier trop volumineux",
        "Une image pèse au plus {upload}\u00a0Mo et un lot {batch}\u00a0Mo. Réduisez-la.",
    ),
    "image_trop_grande": Kind(
        413,
        "Image trop grande",
        "Une image JPEG compte au plus {pixels}\u00a0millions de pixels ; une image PNG, WebP ou "
        "JPEG progressive, {undrafted}\u00a0millions ; aucun côté ne dépasse {side}\u00a0pixels.",
    ),
    "format_non_pris_en_charge": Kind(
        415,
        "Format non pris en charge",
        "Le contenu n’est pas celui d’une image JPEG, PNG ou WebP. Convertissez le fichier.",
    ),
    "image_corrompue": Kind(
        422,
        "Image corrompue",
        "Le fichier est tronqué ou endommagé. Envoyez-le de nouveau ou choisissez-en un autre.",
    ),
    "image_trop_petite": Kind(
        422, "Image trop petite", "Chaque côté mesure au moins {min_side}\u00a0pixels."
    ),
    "proportions": Kind(
        422,
        "Proportions hors limites",
        "Le grand côté vaut au plus {ratio} fois le petit. Recadrez l’image.",
    ),
    "prediction_invalide": Kind(
        500,
        "Prédiction invalide",
        "Le modèle n’a pas donné de probabilités pour cette image. L’incident est consigné.",
    ),
    "interne": Kind(
        500,
        "Erreur interne",
        "Le service a rencontré une erreur. Signalez l’identifiant de la requête.",
    ),
    "modele_non_pret": Kind(
        503, "Modèle en préparation", "Le modèle n’est pas encore prêt. Réessayez dans un instant."
    ),
    "arret": Kind(503, "Arrêt en cours", "Le service s’arrête. Réessayez dans une seconde."),
    "surcharge": Kind(
        503, "Service surchargé", "Trop de requêtes sont en cours. Réessayez dans une seconde."
    ),
    "prediction_trop_longue": Kind(
        504,
        "Prédiction trop longue",
        "La prédiction n’est pas arrivée en {predict_timeout_s}\u00a0s. Réessayez plus tard.",
    ),
}
"""Every code, with its usual status; a malformed request may also be answered by 400."""


REASONS: Mapping[str, str] = {
    "heic": "Le contenu est celui d’une photo HEIC. Sur un iPhone, choisissez Réglages, Appareil "
    "photo, Formats, « Le plus compatible » ; ou exportez la photo en JPEG.",
    "jpeg_rare": "Ce JPEG est de plus de 8 bits par couleur, sans perte ou hiérarchique, ce que "
    "peu de logiciels lisent. Enregistrez-le en JPEG ordinaire ou en PNG.",
    "profil_png": "Le profil de couleurs de ce PNG est démesuré. Enregistrez l’image en sRGB.",
}
"""What is said instead of the usual sentence, of the files of ``decoding.UNREAD``."""


class ProblemError(Exception):
    """A request that is not answered, and why.

    Args:
        code: A key of ``PROBLEMS``.
        detail: A French sentence that says more than the usual one.
        status: Where it is not the usual one.
        headers: To be sent with it.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail
        self.status = status or PROBLEMS[code].status
        self.headers = dict(headers or {})
        if code in ("arret", "surcharge", "modele_non_pret"):
            self.headers["Retry-After"] = "1"


def of_image(error: ImageError) -> ProblemError:
    """Return the problem that tells why an image cannot be used."""
    return ProblemError(error.code, REASONS.get(error.reason))


def texts(settings: Settings) -> dict[str, str]:
    """Return the sentence of each code, with the limits in force, numbers written in French."""
    limits: Limits = settings.limits
    facts = {
        "body_timeout_s": significant(settings.body_timeout_s),
        "predict_timeout_s": significant(settings.predict_timeout_s),
        "upload": _millions(settings.max_upload_bytes),
        "batch": _millions(settings.max_batch_bytes),
        "pixels": _millions(limits.pixels),
        "undrafted": _millions(limits.pixels_undrafted),
        "side": number(limits.side),
        "min_side": limits.min_side,
        "ratio": limits.ratio,
    }
    return {
        code: kind.detail.format(**facts).replace(" ;", f"{THIN};")
        for code, kind in PROBLEMS.items()
    }


def _millions(count: int) -> str:
    return significant(count / 1e6)


def body_of(problem: ProblemError, sentences: Mapping[str, str], request_id: str) -> dict[str, Any]:
    """Return the body that tells a problem."""
    return {
        "type": "about:blank",
        "title": PROBLEMS[problem.code].title,
        "status": problem.status,
        "detail": problem.detail or sentences[problem.code],
        "code": problem.code,
        "request_id": request_id,
    }
