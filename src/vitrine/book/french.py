"""Make the book French: words of the theme, spaces of the prose, search, references.

Authors type plain spaces; no line may start with « ? », and no guillemet stands alone. A
search for « entrainement » finds « entraînement »; references are « Hatamizadeh et Kautz, 2024 ».
"""

import gettext
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import pybtex.plugin
import sphinx.search
from docutils import nodes
from pybtex.database import Entry
from pybtex.style import template
from pybtex.style.formatting.unsrt import Style
from sphinx.application import Sphinx
from sphinx.locale import translators
from sphinx.search.fr import SearchFrench
from sphinx.transforms import SphinxTransform
from sphinxcontrib.bibtex.style.referencing import BracketStyle, PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

from vitrine.report.typography import space

__all__ = ["LEFTOVERS", "BIBLIOGRAPHY", "FoldingFrench", "FrenchReferences", "FrenchStyle", "fold"]

_CATALOGS = ("sphinx", "booktheme")
_WORDS = {
    "Contents": "Sur cette page",
    "Download notebook file": "Télécharger le carnet",
    "Download source file": "Télécharger la source",
    "Download this page": "Télécharger cette page",
    "Fullscreen mode": "Plein écran",
    "Print to PDF": "Imprimer ou enregistrer en PDF",
    "Search": "Rechercher",
    "Color mode": "Thème clair, sombre ou automatique",
    "System Settings": "Selon le système",
    "© Copyright %(copyright)s.": "© %(copyright)s.",
    "By": "Par",
}

LEFTOVERS = (
    "Search this book",
    "Search the docs",
    "Toggle primary sidebar",
    "Toggle secondary sidebar",
    "Toggle in-page",
    "Toggle hidden content",
    "Click to show",
    "Click to hide",
    "Show code cell",
    "Hide code cell",
    "Skip to main content",
    "Back to top",
    "Color mode",
    "System Settings",
    "Download this page",
    "Download source file",
    "Fullscreen mode",
    "Print to PDF",
    "Permalink to this",
    "Link to this",
    "next page",
    "previous page",
    "Created using Sphinx",
    "Built with the",
    "Copyright",
    "Last updated on",
    "By The ",
    "Fig. ",
    "On this page",
    "Contents",
    "Search Results",
    "Please activate JavaScript",
)
"""Texts of the theme that no page may show."""


class _French(gettext.NullTranslations):
    """Our words first, then those of the catalog they stand in front of."""

    def __init__(self, catalog: gettext.NullTranslations | None) -> None:
        super().__init__()
        if catalog is not None:
            self.add_fallback(catalog)

    def gettext(self, message: str) -> str:
        """Return our translation of a message, else the catalog's."""
        return _WORDS.get(message) or super().gettext(message)


class _Spaces(SphinxTransform):
    """Applies ``space`` to prose, and leaves code and formulas alone."""

    default_priority = 760  # after the curly quotes

    def apply(self, **options: object) -> None:
        verbatim = (nodes.literal, nodes.raw, nodes.math, nodes.math_block, nodes.FixedTextElement)
        for node in list(self.document.findall(nodes.Text)):
            if not isinstance(node.parent, verbatim) and (text := space(str(node))) != str(node):
                node.parent.replace(node, nodes.Text(text))


def setup(app: Sphinx) -> None:
    """Translate the theme, space the prose, fold accents in the search, cite in French."""
    app.connect("builder-inited", _install)
    app.add_transform(_Spaces)
    app.add_search_language(FoldingFrench)
    for group, style in (
        ("pybtex.style.formatting", FrenchStyle),
        ("sphinxcontrib.bibtex.style.referencing", FrenchReferences),
    ):
        pybtex.plugin.register_plugin(group, BIBLIOGRAPHY, style, force=True)


def _install(app: Sphinx) -> None:
    for catalog in _CATALOGS:
        known = translators.get(("general", catalog))
        if not isinstance(known, _French):
            translators["general", catalog] = _French(known)
    if app.builder.format == "html":  # its templates were given the former catalog
        environment = app.builder.templates.environment
        environment.install_gettext_translations(translators["general", "sphinx"])


# The browser folds a query as Python folds the index, before stemming it.
_FOLDING_STEMMER = """
Stemmer = function () {
  const french = new FrenchStemmer();
  this.stemWord = (word) => {
    const plain = word.normalize("NFD").replace(/[\\u0300-\\u036f]/g, "");
    return french.stemWord(plain.replace(/œ/g, "oe").replace(/æ/g, "ae"));
  };
};
"""


class FoldingFrench(SearchFrench):
    """Sphinx's French, without accents."""

    js_stemmer_rawcode = ""

    def init(self, options: dict[str, str]) -> None:
        """Prepare both stemmers: Python's for the index, JavaScript's for the queries."""
        super().init(options)
        scripts = Path(sphinx.search.__file__).parent / "minified-js"
        names = ("base-stemmer.js", SearchFrench.js_stemmer_rawcode)
        code = [(scripts / name).read_text(encoding="utf-8") for name in names]
        self.js_stemmer_code = "\n".join([*code, _FOLDING_STEMMER])

    def stem(self, word: str) -> str:
        """Return the stem of a word, without accents."""
        return super().stem(fold(word))


def fold(word: str) -> str:
    """Return a word in lower case, without accents or ligatures."""
    plain = unicodedata.normalize("NFD", word.lower())
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return kept.replace("œ", "oe").replace("æ", "ae")


BIBLIOGRAPHY = "vitrine"
"""Value of ``bibtex_default_style`` and of ``bibtex_reference_style`` in ``_config.yml``."""


class FrenchStyle(Style):
    """The list of references: sorted by author, « et » before the last name, titles as given."""

    default_sorting_style = "author_year_title"

    def format_names(self, role: str, as_sentence: bool = True) -> template.Node:
        """Write the persons in a role, such as ``author``."""
        listed = template.names(role, sep=", ", sep2=" et ", last_sep=" et ")
        return template.sentence[listed] if as_sentence else listed

    def format_title(
        self, entry: Entry, which_field: str, as_sentence: bool = True
    ) -> template.Node:
        """Write a title with the capitals that its authors chose."""
        title = template.field(which_field)
        return template.sentence[title] if as_sentence else title


def _persons() -> PersonStyle:
    return PersonStyle(sep=", ", sep2=" et ", last_sep=" et ", other=" et al.")


def _parentheses() -> BracketStyle:
    return BracketStyle(left="(", right=")", sep="\N{NARROW NO-BREAK SPACE}; ")


@dataclass
class FrenchReferences(AuthorYearReferenceStyle):
    """Citations in the text, by author and year, between parentheses."""

    bracket_parenthetical: BracketStyle = field(default_factory=_parentheses)
    bracket_textual: BracketStyle = field(default_factory=_parentheses)
    person: PersonStyle = field(default_factory=_persons)
