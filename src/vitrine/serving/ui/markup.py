"""HTML of the parts of the page that Gradio has no component for.

Everything that comes from a table, a file or the service is escaped here; ``say`` has the language.
"""

from collections.abc import Mapping, Sequence
from html import escape

from vitrine.report.fr import NO_BREAK
from vitrine.serving.card import Words
from vitrine.serving.speech import Speech
from vitrine.serving.ui.client import Answer, Model, ServiceError
from vitrine.serving.ui.pictures import address

__all__ = [
    "answer", "away", "compared", "details", "failure", "intro", "model_line", "notice", "percent",
    "samples", "waiting",
]  # fmt: skip

_FRAMEWORKS = {"torch": "PyTorch", "keras": "TensorFlow"}
_LISTED = 12  # classes of a notice


def percent(say: Speech, share: float) -> str:
    """Write a share, never more certain than it is: 99,97 % is not 100 %."""
    rounded, gap = f"{100 * share:.1f}", NO_BREAK if say.french else ""
    if rounded == "100.0" and share < 1:
        return f">{gap}{say.percent(0.999)}"
    if rounded == "0.0" and share > 0:
        return f"&lt;{gap}{say.percent(0.001)}"
    return say.percent(share)


def intro(say: Speech, model: Model | None, shown: Mapping[str, str], *, note: bool) -> str:
    """Return the head of the page: its title, what it does, how far to trust it.

    Args:
        say: What has the language.
        model: What answers, where the service tells it.
        shown: Classes of the photos shown, which may not be those of the model.
        note: Whether the technical note can be had.
    """
    trust, classes = "", model.classes if model else shown
    words = model.words if model else Words()
    if model and model.accuracy:
        value, low, high = (percent(say, share) for share in model.accuracy)
        trust = " " + say(
            "Sur {count} photos jamais vues, il classe bien {value} d’entre elles (intervalle à "
            "95 % : de {low} à {high}).",
            count=model.test_images, value=value, low=low, high=high,
        )  # fmt: skip
    link = (
        '<p><a class="bouton-lien" href="note.pdf" download="vitrine-note.pdf">'
        f"{say('Télécharger la note technique (PDF)')}</a></p>"
        if note
        else ""
    )
    proposed = say(
        "Donnez une photo : un petit réseau entraîné par nos soins propose l’une des {count} "
        "{classes}.",
        count=say.count(len(classes)), classes=escape(say(words.classes)),
    )  # fmt: skip
    doubt = say("Il peut se tromper, et le dit quand il hésite.")
    return (
        f'<header class="tete"><h1>{say("Dans quelle catégorie ranger cette photo ?")}</h1>'
        f"<p>{proposed}{trust} {doubt}</p>{link}</header>{_others(say, classes, shown)}"
    )


def _others(say: Speech, classes: Mapping[str, str], shown: Mapping[str, str]) -> str:
    """Return the classes of a model that has not learned those of the photos shown."""
    if classes.keys() == shown.keys():
        return ""
    names = list(classes.values())
    told = ", ".join(names[:_LISTED]) + ("…" if len(names) > _LISTED else ".")
    return notice(
        say(
            "Le modèle a appris d’autres catégories que celles des photos de cette page : {names} "
            "Donnez-lui une photo de l’une d’elles.",
            names=told,
        )
    )


def notice(text: str) -> str:
    """Return a banner that tells a limit of what is shown; nothing without a text."""
    return f'<p class="bandeau info">{escape(text)}</p>' if text else ""


def away(say: Speech) -> str:
    """Return the banner of a service that does not answer."""
    told = say(
        "<strong>Le service de classement ne répond pas.</strong> Le tableau de bord reste "
        "utilisable. La page réessaie toute seule et se rétablit sans être rechargée."
    )
    return f'<div class="bandeau alerte" role="alert">{told}</div>'


def waiting(text: str) -> str:
    """Return what stands where an answer will come."""
    return f'<p class="attente" data-annonce>{escape(text)}</p>'


def failure(say: Speech, error: ServiceError) -> str:
    """Return why there is no answer, and what to do."""
    reference = ""
    if error.request_id:
        reference = (
            f"<details><summary>{say('Détails')}</summary>"
            f'<p class="detail">{say("Référence de la demande :")} '
            f"<code>{escape(error.request_id)}</code></p></details>"
        )
    return (
        f'<div class="carte echec"><h2 data-annonce>{escape(error.title)}</h2>'
        f"<p data-annonce>{escape(error.detail)}</p>{reference}</div>"
    )


def answer(say: Speech, found: Answer, truth: str | None, words: Words) -> str:
    """Return the class found, its doubts, and the probability of each class.

    Args:
        say: What has the language.
        found: What the service says.
        truth: Class of a sample, empty where it has none; ``None`` for a visitor's photo.
        words: What the photos and the classes are called.
    """
    return (
        f'<div class="carte"><p class="surtitre">{say("Catégorie proposée")}</p>'
        f"<h2 data-annonce>{escape(found.name)}</h2>"
        f'<p class="confiance" data-annonce>{say("Probabilité :")} '
        f"<strong>{percent(say, found.score)}</strong></p>"
        f"{_doubt(say, found)}{_verdict(say, found, truth, words)}{_bars(say, found)}</div>"
    )


def details(say: Speech, found: Answer) -> str:
    """Return what only some visitors want to know of an answer."""
    told = say(
        "Réponse en {time}, version {version} du modèle. Photo de {size}.",
        time=f"{found.milliseconds:.0f}{NO_BREAK}ms",
        version=escape(found.version),
        size=f"{found.width}{NO_BREAK}×{NO_BREAK}{found.height}{NO_BREAK}pixels",
    )
    return f'<p class="detail">{told}</p>'


def _doubt(say: Speech, found: Answer) -> str:
    if not (found.outside or found.uncertain):
        return ""
    said = (
        say("Cette photo n’est sans doute d’aucune de ces catégories.")
        if found.outside
        else say("Le modèle hésite : à vérifier par une personne.")
    )
    return f'<p class="avis incertain"><span aria-hidden="true">?</span> {said}</p>'


def _verdict(say: Speech, found: Answer, truth: str | None, words: Words) -> str:
    """Return whether the answer for a sample is right; nothing for a visitor's photo.

    A sample of a class that the model has not learned is of none of its classes.
    """
    if truth is None:
        return ""
    known = found.names.get(truth)
    expected = f"{say('Catégorie attendue :')} {known}" if known else _none(say, words)
    right = found.label == truth if known else found.outside
    wrong = "" if right else say(" — le modèle se trompe")
    return (
        f'<p class="avis {"juste" if right else "faux"}"><span aria-hidden="true">'
        f"{'✓' if right else '✗'}</span> {escape(expected)}{wrong}.</p>"
    )


def _none(say: Speech, words: Words) -> str:
    """Return what is said of a photo of none of the classes, at the beginning of a line."""
    told = say(words.outside)
    return told[:1].upper() + told[1:]


def compared(
    say: Speech, answers: Sequence[tuple[str, Answer]], truth: str | None, words: Words
) -> str:
    """Return the answers of several models for a photo as a table, a row each.

    Args:
        say: What has the language.
        answers: What each model is called on screen, and what it says.
        truth: As ``answer`` takes it.
        words: As ``answer`` takes them.
    """
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}<small>{escape(found.version)}</small></th>'
        f"<td>{escape(found.name)}<small>{_remarks(say, found, truth, words)}</small></td></tr>"
        for name, found in answers
    )
    return (
        f'<div class="carte"><table class="exemples"><caption>{say("Ce que répond chaque modèle")}'
        f"</caption><thead><tr>{_heads(say('Modèle'), say('Catégorie proposée'))}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _heads(*names: str) -> str:
    return "".join(f'<th scope="col">{name}</th>' for name in names)


def _remarks(say: Speech, found: Answer, truth: str | None, words: Words) -> str:
    """Return the probability of an answer, its doubts, and whether it is right."""
    said = [percent(say, found.score)]
    if found.outside:
        said.append(say("sans doute {outside}", outside=escape(say(words.outside))))
    elif found.uncertain:
        said.append(say("hésite"))
    if truth in found.names:
        said.append(say("juste") if found.label == truth else say("faux"))
    return ", ".join(said)


def _bars(say: Speech, found: Answer) -> str:
    """Return the probabilities as a table whose second column is also drawn."""
    rows = "".join(
        f"<tr{' class=premier' if name == found.name else ''}>"
        f'<th scope="row">{escape(name)}</th><td><span class="barre" aria-hidden="true">'
        f'<span style="width:{100 * score:.2f}%"></span></span></td>'
        f'<td class="nombre">{percent(say, score)}</td></tr>'
        for name, score in found.scores
    )
    return (
        f'<table class="barres"><caption>{say("Probabilité de chaque catégorie")}</caption>'
        f'<thead class="lecteur"><tr>{_heads(say("Catégorie"))}<td></td>'
        f"{_heads(say('Probabilité'))}</tr></thead><tbody>{rows}</tbody></table>"
    )


def samples(
    say: Speech, rows: Sequence[tuple[str, ...]], names: Mapping[str, str], words: Words
) -> str:
    """Return the samples as a table.

    Args:
        say: What has the language.
        rows: File name, what it shows, class as the data set names it, empty for none, size.
        names: Name on screen of each class.
        words: What the classes are called.
    """
    body = "".join(
        f'<tr><td><img src="{address(image, "vignette")}" alt="" loading="lazy"></td>'
        f'<th scope="row">{escape(name)}<small>{escape(size)}</small></th>'
        f"<td>{_class(say, label, names, words)}</td></tr>"
        for image, name, label, size in rows
    )
    return (
        f'<table class="exemples"><caption class="lecteur">{say("Les photos d’exemple")}</caption>'
        f"<thead><tr><td></td>{_heads('Photo', say('Catégorie'))}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _class(say: Speech, label: str, names: Mapping[str, str], words: Words) -> str:
    if not label:
        return escape(_none(say, words))
    told = f'<small lang="en">{escape(label)}</small>' if names[label] != label else ""
    return f"{escape(names[label])}{told}"


def model_line(say: Speech, model: Model) -> str:
    """Return one line on the model: where it comes from, what trained it, its licence."""
    name, _, version = model.framework.partition(" ")
    framework = f"{_FRAMEWORKS.get(name, name)} {version}".strip()
    told = say(
        "Le modèle vient de l’exécution {run}, entraînée avec {framework}. Licence des poids : "
        "{licence}",
        run=f"<code>{escape(model.name)}</code>", framework=escape(framework),
        licence=escape(say(model.licence)),
    )  # fmt: skip
    return f'<p class="detail">{told}</p>'
