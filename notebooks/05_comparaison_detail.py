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
# # La comparaison en détail
#
# **Que cachent les moyennes de {doc}`la comparaison <05_comparaison>` ?** Des catégories inégales,
# {valeur}`data.test_leaked` photos qui ont un double, et des modèles qui ne craignent pas les mêmes dégradations : un
# bruit fort change la sonde de {valeur:ecart-ic}`mobilenetv2-int8-probe.change_noise_5`. En six minutes, vous saurez de
# quoi l’avance de la sonde est faite, ce que devient une réponse quand la photo s’abîme, et quelles photos résistent à
# tous.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# Les mêmes réponses que dans la comparaison, image par image ; rien n’est entraîné ici.

# %%
import numpy as np

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.metrics.metrics import accuracy
from vitrine.report import tables
from vitrine.report.figures import comparison
from vitrine.report.ledger.measures import published
from vitrine.report.names import model_name
from vitrine.training.session import begin

session = begin(profile)
groups = {
    recipe: [session.answers(recipe, run.meta["seed"]).part("test") for run in runs]
    for recipe, runs in published().items()
    if not recipe.startswith("efficientnet-lite")  # judged on every photo, in their own chapter
}
answers = {name: [part.probabilities for part in parts] for name, parts in groups.items()}
images, truth = groups["majority"][0].image, groups["majority"][0].truth
ranked = sorted(answers, key=lambda name: -np.mean([accuracy(truth, p) for p in answers[name]]))

# %% [markdown]
# ## De quoi l’avance de la sonde est-elle faite ?
#
# La sonde et le réseau entraîné de zéro diffèrent par plus que le préentraînement. Des témoins, qui n’étaient pas
# annoncés, changent une chose à la fois.
#
# * **Le côté des photos.** Réduites au côté des réseaux partis de zéro, puis agrandies, elles donnent
#   {valeur:ic}`mobilenetv2-int8-probe-128.cv_accuracy` sur les plis : {verdict}`larger_photos_help`
#   ({valeur:ecart-ic}`gap.mobilenetv2-int8-probe.mobilenetv2-int8-probe-128.cv_accuracy`). Sur les images de
#   test, {verdict}`small_probe_beats_scratch`
#   ({valeur:ecart-ic}`gap.mobilenetv2-int8-probe-128.efficientnet-b0-keras-scratch.accuracy`).
# * **Les poids.** Sur un MobileNetV2 aux poids tirés au hasard, la même sonde obtient
#   {valeur:ic}`mobilenetv2-random-probe.cv_accuracy` : {verdict}`learned_weights_help`.
# * **L’architecture et la recette.** Un MobileNetV2 parti du hasard, sous la recette commune et avec une graine, a
#   {valeur:ic}`mobilenetv2-torch-scratch.accuracy` d’exactitude sur les images de test ; la sonde y gagne
#   {valeur:ecart-ic}`gap.mobilenetv2-int8-probe.mobilenetv2-torch-scratch.accuracy`.

# %% [markdown]
# ## Leur sonde, et la nôtre
#
# Le classement des réseaux gelés de {doc}`la preuve de concept <05_comparaison>` dépend de leurs réglages : leur
# MobileNetV2 y a {valeur}`poc.mobilenet_v2_1.0_224-frozen.accuracy`, quand notre sonde, sur le même réseau, a
# {valeur}`mobilenetv2-int8-probe.accuracy`. Au taux d’un cent-millième qui était le leur, une tête sur nos
# caractéristiques obtient {valeur:ic}`mobilenetv2-int8-slow-head.accuracy` ; à un taux cent fois plus grand,
# {valeur:ic}`mobilenetv2-int8-fast-head.accuracy` : {verdict}`rate_starves_the_head`. Le reste de la différence n’est
# pas expliqué.
#
# ## La vitesse d’apprentissage
#
# `vitrine bench training` compare les vitesses à part, tour à tour, sur un fil d’une machine au repos.
# EfficientNet-B0 apprend {valeur}`efficientnet-b0-keras-scratch.learning_speed` en Keras et
# {valeur}`efficientnet-b0-torch-scratch.learning_speed` en PyTorch ; MambaVision micro,
# {valeur}`mambavision-micro-scratch.learning_speed`. D’un tour à l’autre, le rapport de PyTorch à Keras va de
# {valeur}`efficientnet-b0-torch-scratch.learning_ratio_least` à
# {valeur}`efficientnet-b0-torch-scratch.learning_ratio_most` ; Keras demande en plus, une fois,
# {valeur}`efficientnet-b0-keras-scratch.first_epoch_more` de préparation.

# %% [markdown]
# ## Ce que l’on choisirait sinon
#
# Voici les candidats de {doc}`la veille <../book/veille>`, mesurés tour à tour sur un fil de processeur. L’exactitude sur
# ImageNet est citée des articles.

# %%
import pandas as pd

from vitrine import paths
from vitrine.report.tables import speeds
from vitrine.bench import results

candidates, on_card = results.read("backbones"), results.read("backbones-cuda")
cited = pd.read_csv(paths.root() / "ressources" / "backbones.csv")
networks = speeds.backbones(candidates, cited, on_card)
print("processeur :", candidates["hardware"]["cpu"], "; relevé du", candidates["date"])

# %% [markdown]
# Plus un point est à droite, plus le réseau est rapide ; plus il est haut, mieux il reconnaît ImageNet.

# %% mystnb={"figure": {"name": "fig-troncs", "caption": "Exactitude top-1 citée sur ImageNet selon la vitesse mesurée de chaque candidat (échelle logarithmique, un fil d’un processeur). En vert, MambaVision-T ; en bleu, la référence. Les petites MambaVision, sans score publié, n’y sont pas."}, "image": {"alt": "Nuage de points nommés : en haut à gauche, les réseaux récents, exacts et lents, groupés ; entre les deux, quelques réseaux plus rapides et un peu moins exacts ; plus bas et plus à droite, EfficientNet-B0 puis MobileNetV2, plus rapides et moins exacts."}}
from vitrine.report.figures import candidates as choices

choices.speeds(networks, baseline="EfficientNet-B0")

# %% [markdown]
# La {numref}`fig-troncs` ne désigne pas de vainqueur : les quatre plus exacts (dont MambaVision-T et ConvNeXt-T)
# ont des vitesses voisines ; d’autres, un peu moins exacts, sont bien plus rapides. MambaOut, sans espace d’état, est du
# même groupe que MambaVision-T {cite:p}`yu2024mambaout`. Et le compte d’opérations ne prédit pas la
# vitesse : MobileViT-S en fait environ deux fois moins que ResNet-50 sans aller plus vite.

# %% tags=["nbval-check-output", "remove-cell"]
speed_of = networks.set_index("Réseau")["Images/s, un fil"]
work_of = networks.set_index("Réseau")["Multiplications (G)"]
recent = speed_of[["ConvNeXt-T", "MambaOut tiny", "MambaVision-T", "Swin-T"]]
print("réseaux récents, moins de la moitié d’écart :", bool(recent.max() < 1.5 * recent.min()))
print(
    "MobileViT-S, deux fois moins d’opérations que ResNet-50 :",
    bool(work_of["MobileViT-S"] < 0.55 * work_of["ResNet-50"]),
)
print(
    "et pas plus rapide pour autant :", bool(speed_of["MobileViT-S"] < 1.2 * speed_of["ResNet-50"])
)

# %% [markdown]
# ## Catégorie par catégorie
#
# Une moyenne cache des catégories. Le F1 de chacune réunit sa précision et son rappel ; c’est une moyenne sur les
# graines.

# %% mystnb={"figure": {"name": "fig-detail-categories", "caption": "F1 de chaque modèle dans chaque catégorie, en pourcentage ; plus la case est foncée, mieux la catégorie est reconnue."}, "image": {"alt": "Carte de chaleur : les modèles en lignes, les sept catégories en colonnes, le F1 écrit dans chaque case."}}
from vitrine.metrics.classes import class_f1

f1 = np.empty((len(CLASSES), len(ranked)))
for k in range(len(CLASSES)):
    for column, recipe in enumerate(ranked):
        f1[k, column] = np.mean([class_f1(k)(truth, p) for p in answers[recipe]])
comparison.class_f1(f1, ranked)

# %% [markdown]
# Chaque case repose sur une vingtaine d’images : on y lit des tendances communes à plusieurs modèles, pas un
# classement.
#
# ## Et sans les images qui ont fui ?
#
# {valeur}`data.test_leaked` images de test ont un double, exact ou presque, dans l’entraînement ou la validation.
# Sans elles, l’exactitude de la sonde passe de {valeur}`mobilenetv2-int8-probe.accuracy` à
# {valeur}`mobilenetv2-int8-probe.accuracy_clean`. Mieux vaut regarder les réponses qu’elles ont reçues : les réseaux
# entraînés de zéro y donnent {valeur}`leaks.right` réponses justes sur {valeur}`leaks.answers`, toutes graines
# réunies, contre {valeur}`leaks.right_elsewhere` ailleurs : {verdict}`leaks_are_easier`
# (p = {valeur}`leaks.p`, permutation des photos). Le double n’en est pas forcément la cause : ces photos sont
# peut-être plus faciles.

# %% [markdown]
# ## Quand la photo est abîmée
#
# Nous abîmons les mêmes photos de cinq façons, à cinq forces, avec les réglages d’un banc d’essai connu
# {cite:p}`hendrycks2019benchmarking` ; le recadrage est de nous. Un sixième panneau réduit la photo, puis l’agrandit
# à la taille que le modèle lit. `vitrine robustness` a demandé ces réponses à une graine par recette.

# %%
from vitrine.data.corruptions import CORRUPTIONS, STRENGTHS
from vitrine.explain import facts, robustness
from vitrine.report.figures import explanation

labels = facts.labels(session)
robust = {r: table for r, table in facts.read(session, "robustness").items() if r in groups}

# %% tags=["nbval-check-output", "remove-cell"]
test = set(session.split.part("test").row)
conditions = [rows for t in robust.values() for _, rows in t.groupby(["corruption", "strength"])]
print("Forces :", *STRENGTHS)
print(*[explanation.CORRUPTIONS_FR[name] for name in CORRUPTIONS], sep="\n")
whole = all(set(rows.row) == test and len(rows) == len(test) for rows in conditions)
print("Toutes les images de test dans chaque condition :", "oui" if whole else "non")

# %% mystnb={"figure": {"name": "fig-detail-degradations", "caption": "Exactitude selon la force de cinq dégradations (0 : photo intacte) et selon le côté de la photo réduite, intervalles à 95 %. En gris, les autres modèles ; en tirets, une réponse tirée au hasard."}, "image": {"alt": "Six panneaux sur deux colonnes : flou, bruit, compression JPEG, éclaircissement, recadrage, photo réduite. Dans chacun, trois courbes en couleur et les autres en gris, de la photo intacte à la plus abîmée."}}
SHOWN = ("mobilenetv2-int8-probe", "efficientnet-b0-torch-scratch", "mambavision-micro-scratch")
spoiled = {
    name: {recipe: robustness.curve(table, name, labels) for recipe, table in robust.items()}
    for name in (*CORRUPTIONS, robustness.THUMBNAIL)
}
explanation.curves(spoiled, highlighted=SHOWN, chance=1 / len(CLASSES))

# %% [markdown]
# À la force 5, le bruit change l’exactitude du réseau PyTorch de
# {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_noise_5`, celle de MambaVision de
# {valeur:ecart-ic}`mambavision-micro-scratch.change_noise_5`, celle de la sonde de
# {valeur:ecart-ic}`mobilenetv2-int8-probe.change_noise_5` ; {verdict}`noise_breaks_all`. Pour la compression JPEG,
# {verdict}`jpeg_leaves_scratch` ({valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_jpeg_5` pour celui de
# PyTorch) ; la sonde, qui lit de plus grandes photos, change de
# {valeur:ecart-ic}`mobilenetv2-int8-probe.change_jpeg_5`. Le recadrage désoriente surtout les descripteurs classiques
# ({valeur:ecart-ic}`histogram-hog.change_crop_3` à la force 3), dont les contours sont rangés par emplacement.
#
# Réduire les photos à 64 pixels change l’exactitude du réseau PyTorch de
# {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_thumbnail_64`, celle de MambaVision de
# {valeur:ecart-ic}`mambavision-micro-scratch.change_thumbnail_64`, celle de la sonde de
# {valeur:ecart-ic}`mobilenetv2-int8-probe.change_thumbnail_64`. Et si c’est l’entrée du réseau qui grandit, à 160
# pixels ? Une évaluation un peu plus fine que l’entraînement aide parfois {cite:p}`touvron2019fixing`. Ici,
# {verdict}`larger_input_helps` ({valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_input_160`) ; MambaVision, dont
# les fenêtres n’y couvrent plus la carte exactement, change de
# {valeur:ecart-ic}`mambavision-micro-scratch.change_input_160`.
#
# La force 0 diffère un peu des scores de la comparaison : la photo intacte suit le chemin des photos abîmées, par une taille
# commune à tous, ce qui change la réponse du réseau PyTorch sur
# {valeur}`efficientnet-b0-torch-scratch.robust_turned` images.

# %% [markdown]
# ## Les images qui résistent
#
# Une image que tous les modèles manquent apprend plus qu’une moyenne : l’objet y est ambigu, la catégorie discutable
# ou la photo trompeuse. Voici les plus manquées (première graine), avec ce qu’en disent trois modèles ; le début du
# nom de fichier suffit à les retrouver.

# %%
predicted = {r: answers[r][0].argmax(axis=1) for r in ranked if r != "majority"}
misses = np.sum([said != truth for said in predicted.values()], axis=0)
hardest = np.argsort(-misses, kind="stable")[:12]
said = {model_name(recipe): predicted[recipe][hardest] for recipe in SHOWN}
shown = tables.errors(images[hardest], truth[hardest], said)
shown.insert(2, "Modèles qui se trompent", misses[hardest])
tables.show(shown)

# %% [markdown]
# Construit sur une machine qui possède les photos, le livre les montre ici, dans le même ordre ; le livre publié n’en
# montre aucune.

# %% mystnb={"figure": {"caption": "Les images de test manquées par le plus de modèles (constructions locales seulement)."}, "image": {"alt": "Planche de photos de produits, dans l’ordre du tableau précédent, cinq par ligne."}}
from vitrine.data.images import decode
from vitrine.report.figures.data import sheet as contact_sheet

photos = None
if session.photos:
    catalog = session.catalog()
    places = [catalog.path(images[i]) for i in hardest]
    photos = contact_sheet([decode(place, 192) for place in places], columns=5)
photos

# %% [markdown]
# ## Exercices
#
# **1. La catégorie la plus dure.** De la carte des F1, tirez la catégorie que les modèles entraînés reconnaissent le
# moins bien en moyenne. Est-ce la même pour tous ?

# %% tags=["hide-cell"]
trained = [column for column, recipe in enumerate(ranked) if recipe != "majority"]
worst = f1[:, trained].argmin(axis=0)
print("en moyenne :", CLASSES_FR[CLASSES[int(f1[:, trained].mean(axis=1).argmin())]])
for k in sorted(set(worst)):
    print(f"{CLASSES_FR[CLASSES[k]]} : la plus dure pour {(worst == k).sum()} modèles")

# %% [markdown]
# **2. Dix points de moins.** Pour chaque modèle, à partir de quelle force le flou coûte-t-il plus de dix points ?
# Remplacez le flou par une autre dégradation.

# %% tags=["hide-cell"]
for recipe, points in spoiled["blur"].items():
    blurred = {strength: score.value for strength, score in points.items()}
    costly = [s for s, value in blurred.items() if blurred[0] - value > 0.10]
    print(model_name(recipe), ":", f"force {min(costly)}" if costly else "jamais")

# %% [markdown]
# ## Ce que nous retenons
#
# * Ce sont les poids appris ailleurs qui font la sonde : tirés au hasard, ils donnent
#   {valeur:ic}`mobilenetv2-random-probe.cv_accuracy`.
# * Un bruit fort change la sonde de {valeur:ecart-ic}`mobilenetv2-int8-probe.change_noise_5`, une forte compression
#   JPEG le réseau PyTorch de {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_jpeg_5`.
# * Les photos de test qui ont un double reçoivent {valeur}`leaks.right` réponses justes sur {valeur}`leaks.answers` des
#   réseaux entraînés de zéro.
#
# ## Ce qui pourrait être faux
#
# * **Des dégradations simulées.** Un flou gaussien n’est pas celui d’un téléphone. Ces mesures, d’une graine par
#   recette, n’étaient pas annoncées.
# * **De petits nombres.** Une vingtaine de photos par catégorie, {valeur}`data.test_leaked` doubles.
#
# ```{provenance}
# ```
