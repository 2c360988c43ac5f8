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
# # Ce que regardent les modèles
#
# **Sur quoi s’appuient nos modèles pour ranger une photo, et que faut-il pour les tromper ?** Pour le
# réseau PyTorch entraîné de zéro, {verdict}`coarse_before_fine` ; pour la sonde préentraînée,
# {verdict}`probe_reads_coarse`. Face à une photo abîmée, {verdict}`noise_breaks_all`, alors que
# {verdict}`jpeg_leaves_scratch`.
#
# Ce chapitre n’entraîne rien et ne montre aucune photo de produit. Il lit des réponses calculées une
# fois, avec les poids gardés de chaque exécution, puis enregistrées dans le dépôt : n’importe qui peut
# refaire les figures. Une explication n’est pas une preuve ; nous soumettons donc chaque méthode à un
# contrôle, et nous disons ce qu’elle ne voit pas.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Les modèles interrogés
#
# Interroger un modèle demande ses poids, que le dépôt ne contient pas. Les commandes `vitrine
# robustness` et `vitrine explain` les lisent sur la machine qui les possède, vérifient qu’ils redonnent
# bien les réponses publiées, et écrivent les nouvelles réponses à côté de l’exécution. Nous prenons une
# graine par recette.

# %%
from vitrine.explain import facts
from vitrine.figures.style import model_name
from vitrine.session import begin

session = begin(profile)
robust = facts.read(session, "robustness")
labels = facts.labels(session)
for recipe, run in facts.explained(session, "robustness").items():
    print(f"{model_name(recipe)}, graine {run.meta['seed']}")

# %% [markdown]
# Chaque modèle doit avoir répondu, dans chaque condition, à toutes les images de test et à elles
# seules. Nous le vérifions, et rappelons les conditions.

# %% tags=["nbval-check-output"]
from vitrine.corruptions import CORRUPTIONS, STRENGTHS
from vitrine.explain.importance import PARTS
from vitrine.figures.explanation import CORRUPTIONS_FR, PARTS_FR

test = set(session.split.part("test").row)
conditions = [rows for t in robust.values() for _, rows in t.groupby(["corruption", "strength"])]
print("Forces :", *STRENGTHS)
print("Dégradations :", *[CORRUPTIONS_FR[name] for name in CORRUPTIONS], sep="\n  ")
print("Parties empruntées :", *[PARTS_FR[part] for part in PARTS], sep="\n  ")
whole = all(set(rows.row) == test and len(rows) == len(test) for rows in conditions)
print("Toutes les images de test dans chaque condition :", "oui" if whole else "non")

# %% [markdown]
# ## Quand la photo est abîmée
#
# Un vendeur n’a pas toujours un bon appareil. Nous abîmons les mêmes photos de cinq façons, à cinq
# forces, avec les réglages d’un banc d’essai connu {cite:p}`hendrycks2019benchmarking` ; le
# recadrage, lui, est de nous. Tous les modèles voient la même photo abîmée, quelle que soit la taille
# qu’ils lisent.

# %% mystnb={"figure": {"name": "fig-interpretabilite-degradations", "caption": "Exactitude selon la force de cinq dégradations (0 : photo intacte), intervalles à 95 %. En tirets : une réponse tirée au hasard."}, "image": {"alt": "Cinq panneaux, un par dégradation : flou, bruit, compression JPEG, éclaircissement, recadrage. Dans chacun, une courbe d’exactitude par modèle, de la photo intacte à la force cinq."}}
from vitrine.catalog import CLASSES
from vitrine.explain import robustness
from vitrine.figures import explanation

spoiled = {
    name: {recipe: robustness.curve(table, name, labels) for recipe, table in robust.items()}
    for name in CORRUPTIONS
}
explanation.curves(spoiled, x="Force", chance=1 / len(CLASSES))

# %% [markdown]
# Sur la {numref}`fig-interpretabilite-degradations`, le bruit est le plus destructeur : à la force 5,
# le réseau PyTorch perd {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_noise_5` et la sonde
# {valeur:ecart-ic}`mobilenetv2-int8-probe.change_noise_5`. La compression JPEG, elle, ne coûte presque
# rien aux réseaux entraînés de zéro
# ({valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_jpeg_5` à la force 5) mais coûte
# {valeur:ecart-ic}`mobilenetv2-int8-probe.change_jpeg_5` à la sonde, qui lit des photos plus grandes et
# des détails plus fins.
#
# Chaque modèle a son point faible. Le recadrage désoriente les descripteurs classiques
# ({valeur:ecart-ic}`histogram-hog.change_crop_3` à la force 3), dont les contours sont rangés par
# emplacement ; les réseaux, entraînés sur des recadrages, y perdent beaucoup moins
# ({valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_crop_3`). Le bruit, en revanche, n’a fait
# partie de l’entraînement d’aucun.

# %% [markdown]
# ## L’effet de la résolution
#
# La résolution recouvre deux questions. La photo peut être petite : nous la réduisons, puis
# l’agrandissons à la taille que le modèle lit. Ou bien le réseau peut recevoir une entrée d’un autre
# côté que celui de son entraînement, ce qu’un réseau à convolutions accepte.

# %% mystnb={"figure": {"name": "fig-interpretabilite-resolution", "caption": "Exactitude selon le côté de la photo réduite (en haut) et selon le côté de l’entrée du réseau (en bas), intervalles à 95 %. La sonde et les descripteurs classiques ont une entrée de taille fixe."}, "image": {"alt": "Deux panneaux : en haut une courbe d’exactitude par modèle selon le côté de la photo réduite, de 32 à 128 pixels ; en bas, une courbe par réseau selon le côté de l’entrée, de 64 à 224 pixels."}}
sides = {
    name: {recipe: robustness.curve(table, name, labels) for recipe, table in robust.items()}
    for name in (robustness.THUMBNAIL, robustness.INPUT)
}
sides = {name: {r: points for r, points in s.items() if points} for name, s in sides.items()}
explanation.curves(sides, x="Côté (pixels)", chance=1 / len(CLASSES))

# %% [markdown]
# Une vignette suffit presque aux réseaux entraînés de zéro : d’une photo réduite à 64 pixels, le réseau
# PyTorch ne perd que {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_thumbnail_64`. La sonde, qui
# a besoin de détails, y perd {valeur:ecart-ic}`mobilenetv2-int8-probe.change_thumbnail_64`.
#
# Le panneau du bas compare chaque côté à celui de l’entraînement. Une entrée deux fois plus petite
# coûte {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_input_64` ; une entrée un peu plus grande,
# de 160 pixels, donne {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_input_160`. Un tel gain est
# connu : les recadrages de l’entraînement grossissent les objets, qu’une évaluation un peu plus fine
# remet à la même échelle {cite:p}`touvron2019fixing`. Ici, {verdict}`larger_input_helps`.

# %% [markdown]
# ## Les parties dont le modèle dépend
#
# Pour savoir si une partie de l’image compte, nous la remplaçons par celle d’une autre photo tirée au
# sort {cite:p}`breiman2001random,fisher2019all`, et nous comptons ce que le modèle perd. Les parties :
# un canal de couleur ; les basses fréquences, celles d’une vignette de 16 pixels, ou les hautes, donc
# les détails ; le carré central, qui couvre la moitié de la surface, ou le bord.

# %% mystnb={"figure": {"name": "fig-interpretabilite-parties", "caption": "Exactitude perdue quand une partie de chaque photo est empruntée à une autre photo, moyenne de trois tirages, intervalles à 95 %. À droite de zéro, le modèle dépendait de cette partie."}, "image": {"alt": "Une ligne par partie de l’image : canaux rouge, vert et bleu, basses et hautes fréquences, centre et bord. Sur chaque ligne, un point et sa barre d’erreur par modèle : l’exactitude perdue."}}
from vitrine.explain import importance

borrowed = facts.read(session, "importance")
lost = {
    recipe: {part: importance.loss(table, part, labels) for part in PARTS}
    for recipe, table in borrowed.items()
}
explanation.losses(lost)

# %% [markdown]
# Emprunter les basses fréquences coûte {valeur:ic}`efficientnet-b0-torch-scratch.loss_low` d’exactitude
# au réseau PyTorch, les hautes {valeur:ic}`efficientnet-b0-torch-scratch.loss_high`. Photo par photo,
# la différence est de {valeur:ecart-ic}`efficientnet-b0-torch-scratch.loss_gap_low_high` :
# {verdict}`coarse_before_fine`. La sonde, elle, perd {valeur:ic}`mobilenetv2-int8-probe.loss_low` puis
# {valeur:ic}`mobilenetv2-int8-probe.loss_high`, une différence de
# {valeur:ecart-ic}`mobilenetv2-int8-probe.loss_gap_low_high` : {verdict}`probe_reads_coarse`. C’est
# cohérent avec ce qui précède : la sonde souffre davantage du flou et des photos réduites.
#
# Le centre, où se tient le produit, coûte {valeur:ic}`efficientnet-b0-torch-scratch.loss_centre` au
# réseau PyTorch, le bord {valeur:ic}`efficientnet-b0-torch-scratch.loss_border`. Ces pertes ne
# s’additionnent pas : un modèle peut lire la même chose à deux endroits, et une photo faite de deux
# moitiés étrangères surprend un réseau qui n’en a jamais vu.

# %% [markdown]
# ## Où regarde le modèle : cacher, puis voir ce qui change
#
# Nous cachons un carré de la photo, à chaque emplacement, et notons de combien baisse la probabilité de
# la vraie catégorie {cite:p}`zeiler2014visualizing`. La méthode ne demande que des réponses : le réseau
# TensorFlow y passe par la même fonction que les autres. Aucune photo ne pouvant être montrée, voici la
# moyenne sur dix photos de test par catégorie.

# %% mystnb={"figure": {"name": "fig-interpretabilite-occlusion", "caption": "Réseau PyTorch : baisse moyenne de la probabilité de la vraie catégorie quand un carré blanc cache chaque emplacement. Bleu : cacher cet endroit fait baisser la réponse ; ocre : cela la renforce."}, "image": {"alt": "Sept cartes de chaleur de sept cases sur sept, une par catégorie ; les cases bleues sont les emplacements dont la réponse dépend le plus."}}
from vitrine.explain import grids

TORCH = "efficientnet-b0-torch-scratch"
hidden = facts.read(session, "occlusion")[TORCH]
groups = {int(k): grids.read(rows) for k, rows in hidden.groupby("label")}
titles = explanation.class_titles(list(groups))
by_class = dict(zip(titles, groups.values(), strict=True))
explanation.maps(by_class, title="Baisse", signed=True)

# %% [markdown]
# Une tache bleue au centre dit que la réponse tient au produit ; une carte pâle, que le réseau n’est
# sûr de rien ou qu’il lit la photo entière, sans endroit décisif. Une moyenne ne montre que ce que les
# photos d’une catégorie ont en commun.
#
# ## Où regarde le modèle : suivre le gradient
#
# Les gradients intégrés répartissent la réponse entre les pixels, sur le chemin qui mène d’une photo
# blanche à la vraie {cite:p}`sundararajan2017axiomatic` ; nous les calculons avec Captum
# {cite:p}`kokhlikyan2020captum`. Leur axiome de complétude donne un premier contrôle : la somme des
# parts doit redonner la réponse entière. Sur les photos examinées, l’écart le plus grand est de
# {valeur}`efficientnet-b0-torch-scratch.worst_incompleteness` de la taille totale des parts.

# %% mystnb={"figure": {"name": "fig-interpretabilite-gradients", "caption": "Réseau PyTorch : part moyenne de l’attribution (en valeur absolue) dans chaque case, quatre photos de test par catégorie. Chaque carte a sa propre échelle : plus une case est foncée, plus elle pèse."}, "image": {"alt": "Sept cartes de chaleur de seize cases sur seize, une par catégorie ; les cases foncées sont celles auxquelles la méthode attribue le plus la réponse."}}
weighed = facts.read(session, "gradients")[TORCH]
groups = {int(k): grids.read(rows) for k, rows in weighed.groupby("label")}
titles = explanation.class_titles(list(groups))
explanation.maps(dict(zip(titles, groups.values(), strict=True)), title="Part")

# %% [markdown]
# ## Une photo, toutes les méthodes
#
# Sur un dessin fait par notre code, nous pouvons tout montrer : la montre, la carte de chaque méthode,
# et l’activité des étages du réseau, du plus fin au plus grossier.

# %% mystnb={"figure": {"caption": "La montre dessinée que le réseau examine."}, "image": {"alt": "Dessin d’une montre sur fond clair."}}
import numpy as np
from vitrine import demo
from vitrine.figures.data import sheet

drawn = demo.draw("Watches", np.random.default_rng(3)).resize((224, 224))
sheet([np.asarray(drawn)], columns=1)

# %% [markdown]
# Le réseau a été entraîné sur des photos, non sur des dessins ; nous expliquons la catégorie qu’il
# donne, juste ou non.

# %%
from vitrine.catalog import CLASSES_FR
from vitrine.runs import derived

run = facts.explained(session, "drawing")[TORCH]
said = derived.about(run, "drawing")["settings"]
print("Catégorie donnée :", CLASSES_FR[CLASSES[said["label"]]])
print("Probabilité annoncée :", f"{said['probability']:.2f}".replace(".", ","))

# %% mystnb={"figure": {"name": "fig-interpretabilite-dessin", "caption": "Cartes de la montre dessinée : à gauche le réseau PyTorch entraîné, à droite le même réseau dont les poids ont été mélangés. Chaque carte a sa propre échelle."}, "image": {"alt": "Paires de cartes de chaleur, une ligne par méthode : occlusion, gradients intégrés, puis étages du réseau. La colonne de gauche vient du réseau entraîné, celle de droite du réseau aux poids mélangés."}}
NAMES = {"occlusion": "Occlusion", "gradients": "Gradients", "stage-1": "Étage 1"}
NAMES |= {"stage-3": "Étage 3", "stage-5": "Étage 5"}
sketch = derived.read(run, "drawing").set_index(["map", "network"])
pairs = {
    f"{title}, {state}": np.abs(grids.read(sketch.loc[(name, network)]))
    for name, title in NAMES.items()
    for network, state in (("learned", "appris"), ("shuffled", "mélangé"))
}
explanation.maps(pairs, title="Valeur")

# %% [markdown]
# ## Les cartes disent-elles quelque chose du modèle ?
#
# Une carte peut être belle et ne rien devoir à l’apprentissage : il suffit qu’elle suive les contours de
# la photo. Le contrôle d’Adebayo et de ses coauteurs {cite:p}`adebayo2018sanity` détruit les poids et
# refait la carte. Si elle ne change pas, elle ne montrait que la photo. Nous donnons la corrélation de
# rang entre les deux cartes, en valeur absolue et en médiane sur les photos : proche de 0, la carte
# dépend des poids ; proche de 1, elle n’en dépend guère.

# %%
import pandas as pd
from vitrine import tables

checks = facts.read(session, "checks")[TORCH]
alike = checks[checks.check.str.startswith("likeness-")].copy()
alike["check"] = alike.check.str.removeprefix("likeness-")
typical = alike["value"].abs().groupby(alike.check).median()
FULL = {"occlusion": "Occlusion", "gradients": "Gradients intégrés"}
FULL |= {f"stage-{k}": f"Activité de l’étage {k}" for k in range(1, 6)}
table = pd.DataFrame({"Méthode": FULL.values()})
table["Ressemblance aux cartes d’un réseau détruit"] = [typical[name] for name in FULL]
tables.show(table)

# %% [markdown]
# Avec {valeur}`efficientnet-b0-torch-scratch.likeness_occlusion`, {verdict}`occlusion_follows_the_weights`.
# Avec {valeur}`efficientnet-b0-torch-scratch.likeness_gradients`, {verdict}`gradients_follow_the_photo` :
# la méthode multiplie le gradient par l’écart à une photo blanche, de sorte qu’un fond blanc ne pèse
# rien, même pour un réseau détruit. La forme sombre que l’on y voit est donc d’abord celle du produit.
# Nous ne tirons aucune conclusion de la {numref}`fig-interpretabilite-gradients` seule, ni des cartes
# d’activité.

# %% [markdown]
# ## Les photos que le modèle voit semblables
#
# Juste avant sa réponse, un réseau résume chaque photo en une liste de nombres. La méthode t-SNE
# {cite:p}`vandermaaten2008visualizing,kobak2019art` pose ces résumés sur un plan en gardant ensemble
# les voisins. Voici les images de test vues par le modèle le plus exact de ceux qui sont interrogés.

# %% mystnb={"figure": {"name": "fig-interpretabilite-carte", "caption": "Carte des images de test selon les caractéristiques que lit la dernière couche du modèle interrogé le plus exact ; une croix signale une image manquée. Les axes n’ont pas d’unité."}, "image": {"alt": "Nuage de points colorés par catégorie : les points d’une même couleur forment des groupes plus ou moins séparés ; des croix marquent les images que le modèle manque."}}
plane = facts.read(session, "embedding")
plain = {r: t[t.part == "none"].set_index("row").predicted for r, t in borrowed.items()}
scores = {r: (plain[r] == labels.loc[plain[r].index]).mean() for r in plane}
best = max(scores, key=scores.get)
places = plane[best].set_index("row")
truth, answer = labels.loc[places.index].to_numpy(), plain[best].loc[places.index].to_numpy()
explanation.embedding(places, truth, answer)

# %% [markdown]
# La carte montre des voisinages, non des distances : l’écart entre deux groupes, leur taille et leur
# forme n’ont pas de sens. Elle en perd aussi : dans le cas de la sonde, elle garde
# {valeur}`mobilenetv2-int8-probe.neighbours_kept` des dix plus proches voisins de chaque photo. Les
# croix au milieu d’un groupe d’une autre couleur sont des photos dont le produit ressemble, pour le
# modèle, à ceux d’un autre rayon ; celles qui bordent deux groupes sont de simples hésitations.

# %% [markdown]
# ## Ce que nous retenons
#
# * Sur les photos abîmées : {verdict}`noise_breaks_all` ; {verdict}`jpeg_leaves_scratch`.
# * Sur la résolution : {verdict}`larger_input_helps`.
# * Sur ce qui compte dans l’image : pour le réseau PyTorch, {verdict}`coarse_before_fine` ; pour la
#   sonde, {verdict}`probe_reads_coarse`.
# * Sur les cartes elles-mêmes : {verdict}`occlusion_follows_the_weights` ;
#   {verdict}`gradients_follow_the_photo`.
#
# ## Ce qui pourrait être faux
#
# * **Une seule graine.** Chaque recette est interrogée par une exécution, dont les poids étaient
#   gardés : la graine 0 en PyTorch, la graine 1 en TensorFlow. Les intervalles portent sur les images,
#   non sur la graine.
# * **Des dégradations simulées.** Un flou gaussien n’est pas celui d’un téléphone. L’éclaircissement
#   n’éprouve pas les photos trop sombres, et le fond blanc de nombreuses photos ne peut pas s’éclaircir.
# * **Des photos impossibles.** Emprunter une partie fabrique des images que personne ne photographierait.
#   La perte mesure la dépendance du modèle, non l’information que porte cette partie.
# * **Le carré blanc.** L’occlusion dépend de la couleur qui cache : le blanc se confond avec le fond des
#   photos de catalogue, mais il est une marque voyante sur une photo d’ambiance. De même, les gradients
#   intégrés dépendent de la photo blanche dont ils partent.
# * **Des moyennes.** Les cartes par catégorie reposent sur peu de photos, les premières du découpage,
#   et ne disent rien d’une photo particulière.
# * **Plusieurs lectures.** Ces mesures n’étaient pas annoncées dans
#   {doc}`le protocole <../book/protocole>` : elles décrivent et suggèrent, sans correction pour leur
#   nombre.
#
# ```{provenance}
# ```
