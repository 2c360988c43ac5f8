"""HTML of the parts of the page that Gradio has no component for.

Everything that comes from a table, a file or the service is escaped here.
"""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from vitrine.report import fr
from vitrine.report.fr import NO_BREAK, THIN, spelled
from vitrine.serving.card import Words
from vitrine.serving.ui.client import Answer, Model, ServiceError

__all__ = [
    "address", "answer", "away", "compared", "details", "failure", "figure", "gallery", "intro",
    "model_line", "notice", "percent", "samples", "transformed", "waiting",
]  # fmt: skip

_FRAMEWORKS = {"torch": "PyTorch", "keras": "TensorFlow"}
_LISTED = 12  # classes of a notice


def percent(share: float) -> str:
    """Write a share in French, never more certain than it is: 99,97 % is not 100 %."""
    rounded = f"{100 * share:.1f}"
    if rounded == "100.0" and share < 1:
        return f">{NO_BREAK}99,9{THIN}%"
    if rounded == "0.0" and share > 0:
        return f"<{NO_BREAK}0,1{THIN}%".replace("<", "&lt;")
    return fr.percent(share)


def intro(model: Model | None, shown: Mapping[str, str], *, note: bool) -> str:
    """Return the head of the page: its title, what it does, how far to trust it.

    Args:
        model: What answers, where the service tells it.
        shown: Classes of the photos shown, which may not be those of the model.
        note: Whether the technical note can be had.
    """
    trust, classes = "", model.classes if model else shown
    words = model.words if model else Words()
    if model and model.accuracy:
        value, low, high = map(percent, model.accuracy)
        trust = (
            f" Sur {model.test_images} photos jamais vues, il classe bien {value} d’entre elles "
            f"(intervalle à 95{THIN}%{NO_BREAK}: de {low} à {high})."
        )
    link = (
        '<p><a class="bouton-lien" href="note.pdf" download="vitrine-note.pdf">'
        "Télécharger la note technique (PDF)</a></p>"
        if note
        else ""
    )
    return (
        '<header class="tete"><h1>Dans quelle catégorie ranger cette photo'
        f"{THIN}?</h1><p>Donnez une photo{NO_BREAK}: un petit réseau entraîné par nos soins "
        f"propose l’une des {spelled(len(classes))} {escape(words.classes)}.{trust} Il peut se "
        f"tromper, et le dit quand il hésite.</p>{link}</header>{_others(classes, shown)}"
    )


def _others(classes: Mapping[str, str], shown: Mapping[str, str]) -> str:
    """Return the classes of a model that has not learned those of the photos shown."""
    if classes.keys() == shown.keys():
        return ""
    names = list(classes.values())
    told = ", ".join(names[:_LISTED]) + ("…" if len(names) > _LISTED else ".")
    return notice(
        f"Le modèle a appris d’autres catégories que celles des photos de cette page{NO_BREAK}: "
        f"{told} Donnez-lui une photo de l’une d’elles."
    )


def notice(text: str) -> str:
    """Return a banner that tells a limit of what is shown; nothing without a text."""
    return f'<p class="bandeau info">{escape(text)}</p>' if text else ""


def away() -> str:
    """Return the banner of a service that does not answer."""
    return (
        '<div class="bandeau alerte" role="alert"><strong>Le service de classement ne répond pas.'
        "</strong> Le tableau de bord reste utilisable. La page réessaie toute seule "
        "et se rétablit sans être rechargée.</div>"
    )


def waiting(text: str) -> str:
    """Return what stands where an answer will come."""
    return f'<p class="attente" data-annonce>{escape(text)}</p>'


def failure(error: ServiceError) -> str:
    """Return why there is no answer, and what to do."""
    reference = ""
    if error.request_id:
        reference = (
            f'<p class="detail">Référence de la demande{NO_BREAK}: '
            f"<code>{escape(error.request_id)}</code></p>"
        )
    return (
        f'<div class="carte echec"><h2 data-annonce>{escape(error.title)}</h2>'
        f"<p data-annonce>{escape(error.detail)}</p>{reference}</div>"
    )


def address(image: str, size: str = "photo") -> str:
    """Return where the page serves a photo of the data set.

    Args:
        image: Its file name.
        size: ``photo``, or ``vignette`` for a small one.
    """
    return f"photos/{size}/{quote(image)}"


def gallery(name: str, legend: str, options: Sequence[tuple[str, str, str]], *, chosen: str) -> str:
    """Return photos to choose from as a group of radio buttons, which the keyboard moves along.

    Args:
        name: Of the group, in the document.
        legend: What is to be chosen.
        options: File name of each photo, what it shows, and what is written under it once shown.
        chosen: File name of the one chosen on arrival.
    """
    if not options:
        return ""
    buttons = "".join(
        f'<label title="{escape(title)}"><input type="radio" name="{name}" autocomplete="off" '
        f'value="{escape(key)}" data-legende="{escape(caption)}"'
        f'{" checked" if key == chosen else ""}><img src="{address(key, "vignette")}" '
        f'alt="{escape(title)}"></label>'
        for key, title, caption in options
    )
    return (
        f'<fieldset class="galerie"><legend>{escape(legend)}</legend>'
        f'<div class="vignettes">{buttons}</div></fieldset>'
    )


def figure(photo: str, *, alt: str, heat: str = "", where: str = "", caption: str = "") -> str:
    """Return a photo and, where it is known, the map of what counted, which a box lays over it.

    Args:
        photo: Address of the image.
        alt: What it shows.
        heat: Address of the map.
        where: What the map shows, in words.
        caption: Text under the photo.
    """
    laid = f'<img class="carte-chaleur" src="{heat}" alt="">' if heat else ""
    choice = (
        '<label class="bascule"><input type="checkbox" id="voir-carte" autocomplete="off"> Montrer '
        f'ce qui a compté</label><p class="dit-carte">{escape(where)} Plus la teinte est foncée, '
        "plus la zone a pesé dans le choix de la catégorie.</p>"
        if heat
        else ""
    )
    return (
        '<figure class="cadre"><div class="pile"><div class="superposition"><img class="photo" '
        f'src="{escape(photo)}" alt="{escape(alt)}">{laid}</div></div>'
        f"<figcaption>{escape(caption)}{choice}</figcaption></figure>"
    )


def answer(found: Answer, truth: str | None, words: Words) -> str:
    """Return the class found, its doubts, and the probability of each class.

    Args:
        found: What the service says.
        truth: Class of a sample, empty where it has none; ``None`` for a visitor's photo.
        words: What the photos and the classes are called.
    """
    return (
        '<div class="carte"><p class="surtitre">Catégorie proposée</p>'
        f"<h2 data-annonce>{escape(found.label_fr)}</h2>"
        f'<p class="confiance" data-annonce>Probabilité{NO_BREAK}: '
        f"<strong>{percent(found.score)}</strong></p>"
        f"{_doubt(found)}{_verdict(found, truth, words)}{_bars(found)}</div>"
    )


def details(found: Answer) -> str:
    """Return what only some visitors want to know of an answer."""
    return (
        f'<p class="detail">Réponse en {found.milliseconds:.0f}{NO_BREAK}ms, version '
        f"{escape(found.version)} du modèle. Photo de {found.width}{NO_BREAK}×{NO_BREAK}"
        f"{found.height}{NO_BREAK}pixels.</p>"
    )


def _doubt(found: Answer) -> str:
    if not (found.outside or found.uncertain):
        return ""
    said = (
        "Cette photo n’est sans doute d’aucune de ces catégories."
        if found.outside
        else f"Le modèle hésite{NO_BREAK}: à vérifier par une personne."
    )
    return f'<p class="avis incertain"><span aria-hidden="true">?</span> {said}</p>'


def _verdict(found: Answer, truth: str | None, words: Words) -> str:
    """Return whether the answer for a sample is right; nothing for a visitor's photo.

    A sample of a class that the model has not learned is of none of its classes.
    """
    if truth is None:
        return ""
    known = found.names.get(truth)
    expected = f"Catégorie attendue{NO_BREAK}: {escape(known)}" if known else escape(words.none)
    right = found.label == truth if known else found.outside
    return (
        f'<p class="avis {"juste" if right else "faux"}"><span aria-hidden="true">'
        f"{'✓' if right else '✗'}</span> {expected}{'' if right else ' — le modèle se trompe'}.</p>"
    )


def compared(answers: Sequence[tuple[str, Answer]], truth: str | None, words: Words) -> str:
    """Return the answers of several models for a photo as a table, a row each.

    Args:
        answers: What each model is called on screen, and what it says.
        truth: As ``answer`` takes it.
        words: As ``answer`` takes them.
    """
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}<small>{escape(found.version)}</small></th>'
        f"<td>{escape(found.label_fr)}<small>{_remarks(found, truth, words)}</small></td></tr>"
        for name, found in answers
    )
    return (
        '<div class="carte"><table class="exemples"><caption>Ce que répond chaque modèle</caption>'
        '<thead><tr><th scope="col">Modèle</th><th scope="col">Catégorie proposée</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _remarks(found: Answer, truth: str | None, words: Words) -> str:
    """Return the probability of an answer, its doubts, and whether it is right."""
    said = [percent(found.score)]
    if found.outside:
        said.append(f"sans doute {escape(words.outside)}")
    elif found.uncertain:
        said.append("hésite")
    if truth in found.names:
        said.append("juste" if found.label == truth else "faux")
    return ", ".join(said)


def _bars(found: Answer) -> str:
    """Return the probabilities as a table whose second column is also drawn."""
    rows = "".join(
        f"<tr{' class=premier' if name == found.label_fr else ''}>"
        f'<th scope="row">{escape(name)}</th><td><span class="barre" aria-hidden="true">'
        f'<span style="width:{100 * score:.2f}%"></span></span></td>'
        f'<td class="nombre">{percent(score)}</td></tr>'
        for name, score in found.scores
    )
    return (
        '<table class="barres"><caption>Probabilité de chaque catégorie</caption>'
        '<thead class="lecteur"><tr><th scope="col">Catégorie</th><td></td>'
        f'<th scope="col">Probabilité</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def transformed(before: str, after: str, *, name: str, side: int) -> str:
    """Return a photo beside the square image that the model receives of it."""
    received = f"Ce que le modèle reçoit{NO_BREAK}: {side}{NO_BREAK}×{NO_BREAK}{side} pixels"
    return (
        '<div class="avant-apres">'
        + figure(before, alt=f"Photo d’origine{NO_BREAK}: {name}", caption="La photo d’origine")
        + figure(after, alt=f"Photo ramenée à un carré{NO_BREAK}: {name}", caption=received)
        + "</div>"
    )


def samples(rows: Sequence[tuple[str, ...]], names: Mapping[str, str], words: Words) -> str:
    """Return the samples as a table.

    Args:
        rows: File name, what it shows, class as the data set names it, empty for none, size.
        names: French name of each class.
        words: What the classes are called.
    """
    body = "".join(
        f'<tr><td><img src="{address(image, "vignette")}" alt="" loading="lazy"></td>'
        f'<th scope="row">{escape(name)}<small>{escape(size)}</small></th>'
        f"<td>{_class(label, names, words)}</td></tr>"
        for image, name, label, size in rows
    )
    return (
        '<table class="exemples"><caption class="lecteur">Les photos d’exemple</caption><thead>'
        '<tr><td></td><th scope="col">Photo</th><th scope="col">Catégorie</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
    )


def _class(label: str, names: Mapping[str, str], words: Words) -> str:
    if not label:
        return escape(words.none)
    told = f'<small lang="en">{escape(label)}</small>' if names[label] != label else ""
    return f"{escape(names[label])}{told}"


def model_line(model: Model) -> str:
    """Return one line on the model: where it comes from, what trained it, its licence."""
    name, _, version = model.framework.partition(" ")
    framework = f"{_FRAMEWORKS.get(name, name)} {version}".strip()
    return (
        f'<p class="detail">Le modèle vient de l’exécution <code>{escape(model.name)}</code>, '
        f"entraînée avec {escape(framework)}. "
        f"Licence des poids{NO_BREAK}: {escape(model.licence)}</p>"
    )
