# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,mystnb,-all
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Les données
#
# **Que contiennent les photos, et qu’est-ce qui pourrait fausser la mesure ?** {valeur}`data.classes` catégories de
# {valeur}`data.per_class` produits, un fond blanc qui trahit parfois la catégorie, et {valeur}`data.test_leaked` images de
# test sur {valeur}`data.test` qui ont un double, exact ou presque, dans une autre partie. En cinq minutes, vous saurez
# comment le jeu est découpé, ce que l’on y devine sans regarder l’objet, et où sont les fuites.
#
# Le livre publié ne montre ni photo ni nom de produit : ce chapitre se calcule à partir de mesures faites une fois pour
# toutes sur les images et suivies par git (`data/facts/`).

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Le jeu
#
# Un échantillon du catalogue de Flipkart {cite:p}`promptcloud2017flipkart` ; la catégorie d’un produit est le premier
# niveau de son arborescence.

# %%
from IPython.display import display

from vitrine import paths
from vitrine.data import facts, images, splits
from vitrine.report import tables
from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.report.figures import data as figures
from vitrine.training.session import begin

session = begin(profile)
folder = None
if session.smoke:
    folder = paths.build() / "smoke" / "facts"
    facts.measure(session.catalog(), session.split, folder)

# %% [markdown]
# Trois tables : une ligne par image, une par paire de photos voisines, et le nombre de paires à chaque distance.

# %% tags=["check"]
photos = facts.load("images", folder)
pairs = facts.load("pairs", folder)
distances = facts.load("distances", folder)
photos.columns.tolist()

# %% [markdown]
#
# Le rang d’une catégorie dans l’ordre alphabétique anglais est le numéro que tous les modèles apprennent.

# %% tags=["check", "nbval-check-output"]
for number, (name, french) in enumerate(CLASSES_FR.items()):
    print(number, name, "→", french)

# %% [markdown]
# ## Les catégories sont-elles équilibrées ?
#
# Si une catégorie dominait, l’exactitude récompenserait un modèle qui ne connaîtrait qu’elle.

# %%
tables.show(tables.parts(session.split))

# %% [markdown]
# La même chose en image.

# %% mystnb={"figure": {"name": "fig-donnees-equilibre", "caption": "Produits de chaque catégorie, par partie du découpage."}, "image": {"alt": "Sept barres horizontales de même longueur, une par catégorie, chacune divisée en trois : entraînement, validation et test, dans des proportions presque égales d’une catégorie à l’autre."}}
import pandas as pd

frame = session.split.frame
figures.balance(pd.crosstab(frame.label, frame.part))

# %% [markdown]
# Les barres de la {numref}`fig-donnees-equilibre` ont la même longueur : l’exactitude et le F1 macro diront presque la
# même chose, et le hasard a raison une fois sur {valeur}`data.classes`.

# %% [markdown]
# ## Le découpage publié
#
# C’est celui de la preuve de concept citée {cite:p}`hedredo2025oc`, pour que les résultats se comparent :
# {valeur}`data.train` produits d’entraînement, {valeur}`data.validation` de validation et {valeur}`data.test` de test. Son
# empreinte est inscrite dans chaque exécution : deux scores qui n’ont pas la même ne se comparent pas.

# %% tags=["check", "nbval-check-output"]
published = splits.load()
for part in ("train", "validation", "test"):
    print(f"{part:10}", len(published.part(part)))
print("empreinte ", published.sha256)

# %% [markdown]
# Nos exécutions portent sur l’édition réduite du jeu (petit côté de 320 pixels au plus), à laquelle il manque
# {valeur}`data.absent` images.

# %%
absent = photos[photos.red.isna()]
listing = pd.DataFrame({"Image absente": absent.image})
listing["Catégorie"] = [CLASSES_FR[CLASSES[label]] for label in absent.label]
listing["Partie"] = absent.part.map(tables.PARTS_FR)
tables.show(listing)

# %% [markdown]
# Aucune n’est dans le test. {valeur}`data.present` photos restent à décrire.

# %% [markdown]
# ## Quelles tailles, quelles proportions ?
#
# Tous les réseaux reçoivent un carré, et une photo y est écrasée.

# %% mystnb={"figure": {"name": "fig-donnees-tailles", "caption": "Largeur et hauteur des photos d’origine, échelles logarithmiques. Trait plein : photos carrées. Pointillés : un côté quatre fois plus long que l’autre."}, "image": {"alt": "Nuage de points, un par photo, étalé le long de la diagonale des photos carrées, de cent à dix mille pixels de côté ; presque tous les points restent entre les deux obliques du rapport de quatre à un."}}
figures.sizes(photos)

# %% [markdown]
# La médiane est de {valeur}`data.megapixels_median`, le maximum de {valeur}`data.megapixels_largest`.
# {valeur}`data.elongated` photos ont un côté plus de quatre fois plus long que l’autre ; nous acceptons qu’elles soient
# déformées, parce qu’un recadrage couperait l’objet.

# %% [markdown]
# ## Quelles couleurs, quel fond ?
#
# Si le fond ou la teinte suivaient la catégorie, un modèle pourrait deviner sans regarder l’objet.

# %% mystnb={"figure": {"name": "fig-donnees-couleurs", "caption": "Saturation et clarté moyennes de chaque photo, peinte de sa couleur moyenne. Losanges : médianes des catégories."}, "image": {"alt": "Nuage de points dense dans le coin des photos claires et peu saturées, qui s’éclaircit vers les couleurs vives ; sept losanges, un par catégorie, tiennent tous dans la zone dense."}}
present = photos.dropna(subset=["red"])
medians = present.groupby("label")[["saturation", "brightness"]].median()
figures.colours(present, medians)

# %% [markdown]
# Plus directement : la part de chaque photo dont les trois canaux touchent au blanc.

# %% mystnb={"figure": {"name": "fig-donnees-blanc", "caption": "Part de la surface qui est blanche, par catégorie. Boîte : du premier au troisième quartile ; trait : médiane."}, "image": {"alt": "Sept boîtes à moustaches horizontales, une par catégorie, de zéro à cent pour cent de surface blanche ; elles se recouvrent deux à deux, peu ou beaucoup, avec des médianes différentes."}}
figures.white_shares(present)

# %% [markdown]
# {valeur}`data.white_half` des photos sont blanches sur plus de la moitié de leur surface. Sur la
# {numref}`fig-donnees-blanc`, les médianes diffèrent et les boîtes se recouvrent : la couleur du fond est un indice, qui ne
# suffit pas. Un réseau qui ne dépasse pas {doc}`l’histogramme de couleurs <05_comparaison>` n’a peut-être appris que cet indice.

# %% [markdown]
# ## À quoi ressemble une catégorie, en moyenne ?
#
# La moyenne des photos d’une catégorie garde ce qu’elles ont de commun : le cadrage, le fond, une silhouette.

# %% mystnb={"figure": {"name": "fig-donnees-moyennes", "caption": "Moyenne, pixel à pixel, des photos de chaque catégorie."}, "image": {"alt": "Sept vignettes floues. On devine une forme de montre, un cadran entre deux bracelets ; une silhouette de tasse pour la cuisine ; des taches sans contour pour les autres catégories."}}
figures.mean_images(facts.mean_images(folder))

# %% [markdown]
# Plus la silhouette de la {numref}`fig-donnees-moyennes` est nette, plus les photos se ressemblent. Quand les photos sont
# sur la machine, une galerie s’affiche ici.

# %% mystnb={"figure": {"caption": "Premières photos d’entraînement de chaque catégorie, une catégorie par colonne, dans l’ordre du tableau (constructions locales seulement)."}, "image": {"alt": "Planche de photos de produits, sept colonnes, une par catégorie."}}
if session.photos:
    catalog = session.catalog()
    train = session.split.present(catalog).part("train")
    train["rank"] = train.groupby("label").cumcount()
    shown = train[train["rank"] < 3].sort_values(["rank", "label"])
    pixels = [images.decode(catalog.path(name), figures.TILE) for name in shown.image]
    display(figures.sheet(pixels, columns=len(CLASSES)))

# %% [markdown]
# ## Quelles photos sont là deux fois ?
#
# Si la copie d’une photo de test est à l’entraînement, le modèle récite au lieu de reconnaître. Les fichiers identiques se
# trouvent par leur empreinte SHA-256 ; les presque identiques, par une *empreinte perceptive* de 64 bits, dont peu de bits
# diffèrent entre deux photos qui se ressemblent. Elle a autant de uns que de zéros : les distances sont donc paires.

# %% mystnb={"figure": {"name": "fig-donnees-distances", "caption": "Paires de photos selon la distance de leurs empreintes perceptives, échelle logarithmique. Trait vertical : le seuil retenu."}, "image": {"alt": "Histogramme des distances de zéro à vingt bits : un pic à zéro, un creux vers quatre bits, puis une montée régulière. Le seuil sépare les barres du creux, retenues, de celles de la montée."}}
figures.duplicates(distances, splits.NEAR)

# %% [markdown]
# Nous avons regardé chaque paire de la {numref}`fig-donnees-distances` jusqu’à huit bits : jusqu’à quatre, toutes sont des
# variantes d’une même prise de vue ; à {valeur}`data.near_bits`, huit sur neuf ; à huit, des gabarits se mêlent. Le seuil
# est donc de {valeur}`data.near_bits` bits.
#
# :::{admonition} Exercice : changez le seuil
# :class: tip
# Combien de paires un seuil de huit bits retiendrait-il de plus ?
# :::

# %% tags=["hide-cell"]
more = distances[(distances.distance > splits.NEAR) & (distances.distance <= 8)]
print("paires de plus :", int(more.pairs.sum()))

# %% [markdown]
# ## Où les doubles tombent-ils ?
#
# Une paire réunie dans une seule partie ne trompe personne. À cheval sur deux parties, c’est une fuite.

# %%
tables.show(tables.leaks(pairs))

# %% [markdown]
# Il y a {valeur}`data.pairs_exact` paires identiques et {valeur}`data.pairs_near` presque identiques ;
# {valeur}`data.pairs_crossing` sont à cheval sur deux parties. Les étiquettes, elles, ne se contredisent pas :
# {verdict}`duplicates_agree`.
#
# Rien n’est déplacé dans le découpage publié, qui cesserait d’être celui des autres. L’exactitude de la
# référence et de la sonde est aussi donnée sur les {valeur}`data.test_clean` images sans double ; dans nos plis, les doubles
# restent ensemble.

# %% tags=["nbval-check-output", "remove-cell"]
tracked = facts.load("pairs")
known = set(published.frame.image)
below = (tracked.distance <= splits.NEAR).all()
inside = known.issuperset([*tracked.image_a, *tracked.image_b])
print("toutes sous le seuil :", "oui" if below else "non")
print("toutes dans le découpage :", "oui" if inside else "non")

# %% [markdown]
# :::{admonition} Exercice : un fond qui trahit
# :class: tip
# Quelle catégorie a le plus souvent un fond blanc sur plus de la moitié de la photo ?
# :::

# %% tags=["hide-cell"]
often = (present.white_share > 0.5).groupby(present.label).mean()
print(CLASSES_FR[CLASSES[often.idxmax()]])

# %% [markdown]
# ## Ce que nous retenons
#
# * {valeur}`data.products` produits, {valeur}`data.per_class` par catégorie : le plancher du hasard est d’un sur
#   {valeur}`data.classes`.
# * Le fond blanc et la couleur sont des indices ; ils se recouvrent d’une catégorie à l’autre.
# * Les fuites touchent {valeur}`data.test_leaked` images de test : {verdict}`leaks_are_easier`.
#
# ## Ce qui pourrait être faux
#
# * **Le seuil.** Il repose sur le regard d’une seule personne, et l’empreinte perceptive ne voit ni un recadrage franc, ni
#   un miroir.
# * **Les étiquettes.** La catégorie vient du vendeur, et personne ne l’a relue. Ailleurs, des étiquettes fausses suffisent
#   à changer un classement {cite:p}`northcutt2021pervasive`.
# * **L’édition réduite.** Couleurs et empreintes sont mesurées sur des photos recompressées.
#
# ```{provenance}
# ```
