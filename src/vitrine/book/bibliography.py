"""BibTeX styles in French: « Hatamizadeh et Kautz, 2024 », where the usual ones write "and"."""

from dataclasses import dataclass, field

import pybtex.plugin
import sphinxcontrib.bibtex.plugin
from pybtex.database import Entry
from pybtex.style import template
from pybtex.style.formatting.unsrt import Style
from sphinx.application import Sphinx
from sphinxcontrib.bibtex.style.referencing import BracketStyle, PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

from vitrine.report.fr import THIN

__all__ = ["NAME", "FrenchReferences", "FrenchStyle", "setup"]

NAME = "vitrine"
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
    return BracketStyle(left="(", right=")", sep=f"{THIN}; ")


@dataclass
class FrenchReferences(AuthorYearReferenceStyle):
    """Citations in the text, by author and year, between parentheses."""

    bracket_parenthetical: BracketStyle = field(default_factory=_parentheses)
    bracket_textual: BracketStyle = field(default_factory=_parentheses)
    person: PersonStyle = field(default_factory=_persons)


def setup(app: Sphinx) -> None:
    """Make both styles known to BibTeX's extension, under ``NAME``."""
    pybtex.plugin.register_plugin("pybtex.style.formatting", NAME, FrenchStyle, force=True)
    sphinxcontrib.bibtex.plugin.register_plugin(
        "sphinxcontrib.bibtex.style.referencing", NAME, FrenchReferences, force=True
    )
