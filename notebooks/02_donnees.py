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
# **Que contiennent les photos, et qu’est-ce qui pourrait fausser la mesure ?** Les
# {valeur}`data.classes` catégories comptent chacune {valeur}`data.per_class` produits, si bien que le
# hasard y a raison une fois sur {valeur}`data.classes`. Mais certaines photos sont là deux fois, et
# {valeur}`data.test_leaked` des {valeur}`data.test` images de test ont un double, exact ou presque,
# dans une autre partie ; chaque score est donc aussi donné sans elles.
#
# Le livre publié ne montre ici ni photo ni nom de produit : ce chapitre se calcule à partir de mesures faites
# une fois pour toutes sur les images et suivies par git (`data/facts/`).

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Le besoin, en une phrase
#
# > Une place de marché veut ranger seule chaque nouveau produit dans sa catégorie, d’après sa photo.
#
# Aujourd’hui, le vendeur choisit la catégorie à la main, et se trompe parfois. Le jeu de données est un
# échantillon du catalogue de Flipkart {cite:p}`promptcloud2017flipkart`. La catégorie d’un produit est
# le premier niveau de son arborescence.
#
# Nous ouvrons une session. Dans le profil publié, elle lit les mesures suivies ; dans le profil
# d’essai, elle dessine un petit catalogue de synthèse et le mesure vraiment.

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
# Les mesures tiennent en trois tables : une ligne par image, une ligne par paire de photos voisines, et
# le nombre de paires à chaque distance.

# %%
photos = facts.load("images", folder)
pairs = facts.load("pairs", folder)
distances = facts.load("distances", folder)
photos.columns.tolist()

# %% [markdown]
# Les noms des catégories sont ceux des données ; leur rang dans l’ordre alphabétique anglais est le
# numéro que tous les modèles apprennent. Un libellé français les accompagne partout.

# %% tags=["nbval-check-output"]
for number, (name, french) in enumerate(CLASSES_FR.items()):
    print(number, name, "→", french)

# %% [markdown]
# ## Les catégories sont-elles équilibrées ?
#
# L’équilibre décide des mesures : si une catégorie dominait, l’exactitude récompenserait un modèle qui
# ne connaîtrait qu’elle. Nous comptons les produits de chaque catégorie, dans chaque partie du
# découpage.

# %%
tables.show(tables.parts(session.split))

# %% [markdown]
# La même chose en image : ce qui compte est la longueur des barres, et la place des deux coupures.

# %% mystnb={"figure": {"name": "fig-donnees-equilibre", "caption": "Produits de chaque catégorie, par partie du découpage."}, "image": {"alt": "Sept barres horizontales de même longueur, une par catégorie, chacune divisée en trois : entraînement, validation et test, dans des proportions presque égales d’une catégorie à l’autre."}}
import pandas as pd

frame = session.split.frame
figures.balance(pd.crosstab(frame.label, frame.part))

# %% [markdown]
# Les barres de la {numref}`fig-donnees-equilibre` ont la même longueur. L’exactitude et le F1 macro
# diront donc presque la même chose, et répondre toujours la même catégorie donne raison une fois sur
# {valeur}`data.classes`.

# %% [markdown]
# ## Le découpage publié
#
# Le découpage est celui de la preuve de concept citée {cite:p}`hedredo2025oc`, pour que les résultats se comparent : deux tirages
# stratifiés de graine 314, 15 % des produits pour le test, puis 15 % du reste pour la validation. Il
# porte sur toutes les lignes de la table, image présente ou non. C’est un fichier, et son empreinte
# SHA-256 est inscrite dans chaque exécution : deux scores qui n’ont pas la même empreinte ne se
# comparent pas.

# %% tags=["nbval-check-output"]
published = splits.load()
for part in ("train", "validation", "test"):
    print(f"{part:10}", len(published.part(part)))
print("empreinte ", published.sha256)

# %% [markdown]
# Nos exécutions portent sur l’édition réduite du jeu, où le petit côté des photos est ramené à 320
# pixels au plus. Il y manque {valeur}`data.absent` images, que nous nommons. Elles gardent leur place
# dans le découpage : leur absence raccourcit une partie, et ne déplace aucune autre image.

# %%
absent = photos[photos.red.isna()]
listing = pd.DataFrame({"Image absente": absent.image})
listing["Catégorie"] = [CLASSES_FR[CLASSES[label]] for label in absent.label]
listing["Partie"] = absent.part.map(tables.PARTS_FR)
tables.show(listing)

# %% [markdown]
# Aucune n’est dans le test : les scores publiés portent sur les {valeur}`data.test` images prévues.
# {valeur}`data.present` photos restent à décrire.

# %% [markdown]
# ## Quelles tailles, quelles proportions ?
#
# Tous les réseaux reçoivent un carré : une photo est écrasée jusqu’à y entrer, et ce que l’on perd
# dépend de sa taille et de ses proportions d’origine. Nous plaçons chaque photo par sa largeur et sa
# hauteur originales ; les échelles sont logarithmiques, si bien que les photos de mêmes proportions
# s’alignent sur une oblique.

# %% mystnb={"figure": {"name": "fig-donnees-tailles", "caption": "Largeur et hauteur des photos d’origine, échelles logarithmiques. Trait plein : photos carrées. Pointillés : un côté quatre fois plus long que l’autre."}, "image": {"alt": "Nuage de points, un par photo, étalé le long de la diagonale des photos carrées, de cent à dix mille pixels de côté ; presque tous les points restent entre les deux obliques du rapport de quatre à un."}}
figures.sizes(photos)

# %% [markdown]
# Les rangées de points horizontales et verticales trahissent des gabarits : un même côté fixé par la
# plateforme, l’autre libre. La médiane est de {valeur}`data.megapixels_median`, la plus grande photo en
# compte {valeur}`data.megapixels_largest`. {valeur}`data.elongated` photos ont un côté plus de quatre
# fois plus long que l’autre : l’écrasement les déforme, et nous l’acceptons, parce qu’un recadrage
# couperait l’objet.

# %% [markdown]
# ## Quelles couleurs, quel fond ?
#
# Une photo de catalogue se fait souvent sur fond clair. Si le fond ou la teinte suivaient la catégorie,
# un modèle pourrait deviner sans regarder l’objet. Chaque photo est ici un point, peint de sa propre
# couleur moyenne ; les losanges sont les médianes des catégories.

# %% mystnb={"figure": {"name": "fig-donnees-couleurs", "caption": "Saturation et clarté moyennes de chaque photo, peinte de sa couleur moyenne. Losanges : médianes des catégories."}, "image": {"alt": "Nuage de points dense dans le coin des photos claires et peu saturées, qui s’éclaircit vers les couleurs vives ; sept losanges, un par catégorie, tiennent tous dans la zone dense."}}
present = photos.dropna(subset=["red"])
medians = present.groupby("label")[["saturation", "brightness"]].median()
figures.colours(present, medians)

# %% [markdown]
# Nous mesurons le fond plus directement : la part de chaque photo dont les trois canaux touchent au
# blanc.

# %% mystnb={"figure": {"name": "fig-donnees-blanc", "caption": "Part de la surface qui est blanche, par catégorie. Boîte : du premier au troisième quartile ; trait : médiane."}, "image": {"alt": "Sept boîtes à moustaches horizontales, une par catégorie, de zéro à cent pour cent de surface blanche ; elles se recouvrent deux à deux, peu ou beaucoup, avec des médianes différentes."}}
figures.white_shares(present)

# %% [markdown]
# {valeur}`data.white_half` des photos sont blanches sur plus de la moitié de leur surface. Sur la
# {numref}`fig-donnees-blanc`, les médianes diffèrent d’une catégorie à l’autre : la couleur du fond est
# un indice. Les boîtes se recouvrent : il ne suffit pas. C’est ce que mesure le modèle de couleurs et
# de contours de {doc}`la comparaison <05_comparaison>`, qu’un réseau doit dépasser pour prouver qu’il
# voit des objets.

# %% [markdown]
# ## À quoi ressemble une catégorie, en moyenne ?
#
# La moyenne, pixel à pixel, des photos d’une catégorie efface les objets et garde ce qu’ils ont de
# commun : le cadrage, la place du fond, une silhouette s’il y en a une.

# %% mystnb={"figure": {"name": "fig-donnees-moyennes", "caption": "Moyenne, pixel à pixel, des photos de chaque catégorie."}, "image": {"alt": "Sept vignettes floues. On devine une forme de montre, un cadran entre deux bracelets ; une silhouette de tasse pour la cuisine ; des taches sans contour pour les autres catégories."}}
figures.mean_images(facts.mean_images(folder))

# %% [markdown]
# Plus la silhouette de la {numref}`fig-donnees-moyennes` est nette, plus les photos de la catégorie se
# ressemblent par leur cadrage. Une tache uniforme annonce une catégorie variée, qu’aucun gabarit ne
# reconnaîtra.
#
# Quand les photos sont sur la machine, une galerie s’affiche ici, une catégorie par colonne. Le livre
# publié n’en montre aucune.

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
# Un vendeur réutilise une photo, ou la change à peine. Si une copie est à l’entraînement et l’autre au
# test, le modèle récite au lieu de reconnaître. Deux fichiers identiques ont la même empreinte
# SHA-256. Pour les presque identiques, une *empreinte perceptive* résume l’allure d’une image en 64
# bits ; deux photos dont les empreintes diffèrent de peu de bits se ressemblent. Reste à fixer le
# seuil, et nous le cherchons dans les distances elles-mêmes.

# %% mystnb={"figure": {"name": "fig-donnees-distances", "caption": "Paires de photos selon la distance de leurs empreintes perceptives, échelle logarithmique. Trait vertical : le seuil retenu."}, "image": {"alt": "Histogramme des distances de zéro à vingt bits : un pic à zéro, un creux vers quatre bits, puis une montée régulière. Le seuil sépare les barres du creux, retenues, de celles de la montée."}}
figures.duplicates(distances, splits.NEAR)

# %% [markdown]
# La {numref}`fig-donnees-distances` mêle deux populations : des copies, serrées près de zéro, et des
# paires sans lien, dont le nombre croît régulièrement avec la distance. Le creux est entre les deux.
#
# Nous avons regardé chaque paire jusqu’à huit bits. Jusqu’à quatre, toutes sont des variantes d’une
# même prise de vue. À {valeur}`data.near_bits` bits, huit paires sur neuf le sont encore. À huit, des
# gabarits commencent à se mêler : des tasses photographiées de la même façon, avec d’autres motifs.
# Le seuil est donc de {valeur}`data.near_bits` bits. Chaque empreinte a autant de bits à un qu’à
# zéro : les distances sont toutes paires, et un bit de plus ne retiendrait aucune autre paire.

# %% [markdown]
# ## Où les doubles tombent-ils ?
#
# Une paire réunie dans une seule partie ne trompe personne. Une paire à cheval sur deux parties est
# une fuite : la validation ou le test y retrouvent ce que l’entraînement a montré.

# %%
tables.show(tables.leaks(pairs))

# %% [markdown]
# Il y a {valeur}`data.pairs_exact` paires identiques et {valeur}`data.pairs_near` presque identiques ;
# {valeur}`data.pairs_crossing` sont à cheval sur deux parties. Du moins les étiquettes ne se
# contredisent-elles pas : {verdict}`duplicates_agree`.
#
# Nous ne déplaçons rien dans le découpage publié : il cesserait d’être celui auquel d’autres se
# comparent. Nous donnons plutôt chaque score deux fois, sur tout le test et sur les
# {valeur}`data.test_clean` images sans double. Dans les plis répétés, qui sont à nous, les doubles
# restent ensemble.
#
# Dernière vérification, sur les fichiers suivis : toute paire retenue est sous le seuil, et toute image
# qu’elle nomme est dans le découpage.

# %% tags=["nbval-check-output"]
tracked = facts.load("pairs")
known = set(published.frame.image)
below = (tracked.distance <= splits.NEAR).all()
inside = known.issuperset([*tracked.image_a, *tracked.image_b])
print("toutes sous le seuil :", "oui" if below else "non")
print("toutes dans le découpage :", "oui" if inside else "non")

# %% [markdown]
# ## Ce que nous retenons
#
# * {valeur}`data.products` produits, {valeur}`data.per_class` par catégorie : le plancher du hasard est
#   d’un sur {valeur}`data.classes`.
# * {valeur}`data.train` produits d’entraînement, {valeur}`data.validation` de validation,
#   {valeur}`data.test` de test, et {valeur}`data.absent` images absentes de l’édition réduite, aucune
#   dans le test.
# * Le fond blanc et la couleur sont des indices ; ils se recouvrent d’une catégorie à l’autre.
# * Les fuites touchent {valeur}`data.test_leaked` images de test. Ce que l’on y voit :
#   {verdict}`leaks_are_easier`.
#
# ## Ce qui pourrait être faux
#
# * **Le seuil.** Il repose sur le regard d’une seule personne, et l’empreinte perceptive ne voit ni
#   un recadrage franc, ni un miroir. Des doubles peuvent nous échapper.
# * **Les étiquettes.** La catégorie vient du vendeur, et personne ne l’a relue. Dans d’autres jeux
#   connus, des étiquettes fausses suffisent à changer un classement
#   {cite:p}`northcutt2021pervasive`.
# * **L’échantillon.** Un catalogue réel n’est pas équilibré, et change avec les saisons. Un score
#   mesuré ici ne se transporte pas tel quel.
# * **L’édition réduite.** Couleurs et empreintes sont mesurées sur des photos recompressées ; les
#   tailles sont celles des originaux.
#
# ```{provenance}
# ```
