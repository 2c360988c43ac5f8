"""The errors of the service: one code, one HTTP status, one sentence in each of its languages.

The body is that of RFC 9457, https://www.rfc-editor.org/rfc/rfc9457, with a stable ``code`` and the
``request_id`` to look for in the logs. Nothing of the program is told: no class, path or stack.
Words are those of ``sentences.toml``.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, get_args

from vitrine.data.images import ImageError, Limits
from vitrine.report.fr import number, significant, space
from vitrine.serving.settings import Settings

__all__ = [
    "PROBLEMS", "REASONS", "Language", "ProblemError", "Sentences", "language_of", "of_image",
]  # fmt: skip

MEDIA_TYPE = "application/problem+json"
Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Those of the catalogue, the one that is spoken by default first."""
_CATALOGUE = tomllib.loads(
    resources.files("vitrine.serving").joinpath("sentences.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Kind:
    """A kind of problem.

    Attributes:
        status: HTTP status.
        title: What happened, in a few words, by language.
        detail: What was expected and what to do; to be filled in with the limits in force.
    """

    status: int
    title: Mapping[str, str]
    detail: Mapping[str, str]


PROBLEMS: Mapping[str, Kind] = {
    code: Kind(
        told["status"],
        *({language: told[language][i] for language in LANGUAGES} for i in (0, 1)),
    )
    for code, told in _CATALOGUE["problems"].items()
}
"""Every code, with its usual status; a malformed request may also be answered by 400."""
REASONS: Mapping[str, Mapping[str, str]] = _CATALOGUE["reasons"]
"""What is said instead of the usual sentence, of the files of ``decoding.UNREAD``."""
_DETAILS = REASONS | _CATALOGUE["details"]


class ProblemError(Exception):
    """A request that is not answered, and why.

    Args:
        code: A key of ``PROBLEMS``.
        detail: A sentence of the catalogue that says more than the usual one, by its key.
        status: Where it is not the usual one.
        headers: To be sent with it.
        facts: What the sentence is filled in with.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        **facts: object,
    ) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts
        self.detail = _DETAILS[detail] if detail else PROBLEMS[code].detail
        self.status = status or PROBLEMS[code].status
        self.headers = dict(headers or {})
        if code in ("arret", "surcharge", "modele_non_pret"):
            self.headers["Retry-After"] = "1"


def of_image(error: ImageError) -> ProblemError:
    """Return the problem that tells why an image cannot be used."""
    return ProblemError(error.code, error.reason)


class Sentences:
    """The bodies that tell problems, with the limits in force.

    Args:
        settings: What the limits are.
    """

    def __init__(self, settings: Settings) -> None:
        limits: Limits = settings.limits
        few = {
            "body_timeout_s": settings.body_timeout_s,
            "predict_timeout_s": settings.predict_timeout_s,
            "upload": settings.max_upload_bytes / 1e6,
            "batch": settings.max_batch_bytes / 1e6,
            "pixels": limits.pixels / 1e6,
            "undrafted": limits.pixels_undrafted / 1e6,
        }
        same = {"min_side": limits.min_side, "ratio": limits.ratio}
        self._facts: dict[Language, Mapping[str, object]] = {
            "fr": {name: significant(value) for name, value in few.items()}
            | {"side": number(limits.side)}
            | same,
            "en": {name: f"{value:.3g}" for name, value in few.items()}
            | {"side": f"{limits.side:,}"}
            | same,
        }

    def body_of(
        self, problem: ProblemError, request_id: str, language: Language = "fr"
    ) -> dict[str, Any]:
        """Return the body that tells a problem in a language."""
        detail = problem.detail[language].format(**self._facts[language], **problem.facts)
        return {
            "type": "about:blank",
            "title": PROBLEMS[problem.code].title[language],
            "status": problem.status,
            "detail": space(detail) if language == "fr" else detail,
            "code": problem.code,
            "request_id": request_id,
        }


def language_of(accepted: str) -> Language:
    """Return the language that a client reads best, by its ``Accept-Language`` header.

    Weights are those of RFC 9110, 12.4.2; a region does not count; of equals, the first named wins.
    """
    best: tuple[float, Language] = (0.0, LANGUAGES[0])
    for tag, _, weight in re.findall(r"([a-zA-Z]+)[\w-]*\s*(;\s*q=([\d.]{1,5}))?", accepted[:500]):
        for language in LANGUAGES:
            worth = _weight(weight)
            if tag.lower() == language and worth > best[0]:
                best = worth, language
    return best[1]


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0
