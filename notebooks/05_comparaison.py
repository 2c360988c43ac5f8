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
# # La comparaison
#
# **Que permettent d’affirmer les mêmes photos, quand tous les modèles y répondent ?** Parmi nos exécutions, {verdict}`probe_beats_scratch`, avec un écart d’exactitude de
# {valeur:ecart-ic}`gap.mobilenetv2-int8-probe.efficientnet-b0-keras-scratch.accuracy`. Quant à
# MambaVision partie de zéro, {verdict}`architectures_differ` ; pour les réseaux que d’autres ont réglés finement,
# {verdict}`poc_below_power`.
#
# La question du livre reste ouverte, et nous disons ici ce qu’il faudrait pour la fermer.
#
# Ce chapitre porte sur les {valeur}`data.test` images du découpage publié, où d’autres ont publié leurs
# scores ; {doc}`le précédent <05_toutes_les_photos>` juge chaque modèle sur toutes les photos.
# Aucun modèle n’est entraîné dans ce chapitre. Il lit les réponses que chaque exécution a
# enregistrées, image par image, et en tire tout le reste : scores, intervalles, tests, coûts.
# N’importe qui peut donc le refaire sans carte graphique et sans une seule photo.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Qui répond, et à quoi
#
# Nous prenons toutes les exécutions publiées, avec toutes leurs graines. Une recette entraînée
# plusieurs fois reste une seule ligne de la comparaison ; ses graines servent à mesurer ce que le
# hasard de l’entraînement ajoute. La *sonde* est une régression logistique apprise sur les caractéristiques
# d’un MobileNetV2 préentraîné, puis gelé {cite:p}`sandler2018mobilenetv2,kornblith2018better`.

# %%
from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.report.ledger import pairs
from vitrine.report.ledger.measures import published
from vitrine.report.names import model_name
from vitrine.training.session import begin

session = begin(profile)
groups = {
    recipe: [session.answers(recipe, run.meta["seed"]) for run in runs]
    for recipe, runs in published().items()
    if not recipe.startswith("efficientnet-lite")  # judged on every photo, in the chapter before
}

# %% [markdown]
# Les comparaisons ont été annoncées dans {doc}`le protocole <../book/protocole>` avant les
# résultats. Les voici, avec les catégories dans l’ordre de leurs numéros.

# %% tags=["nbval-check-output"]
print(*CLASSES_FR.values(), sep=", ")
for baseline, candidate in pairs.COMPARISONS:
    print(f"{model_name(candidate)}, contre {model_name(baseline)}")

# %% [markdown]
# ## Le lien avec les résultats antérieurs : le découpage publié
#
# Ce que d’autres ont publié porte sur {valeur}`data.test` images. Nous y répondons aussi, avec plusieurs
# graines par réseau. Comparer image par image suppose que tous aient vu les mêmes images, dans le même
# ordre. Nous le vérifions avant tout calcul.

# %% tags=["nbval-check-output"]
tests = {name: [run.part("test") for run in runs] for name, runs in groups.items()}
answers = {name: [p.probabilities for p in parts] for name, parts in tests.items()}
images, truth = tests["majority"][0].image, tests["majority"][0].truth

parts = [part for runs in tests.values() for part in runs]
same = all((part.image == images).all() for part in parts)
print("Mêmes images, dans le même ordre, pour tous :", "oui" if same else "non")

# %% [markdown]
# ## Les scores, et ce qu’ils laissent dans l’ombre
#
# Un score sans intervalle ne dit rien : d’autres images de test en auraient donné un autre. Chaque
# intervalle à 95 % couvre le tirage des images et, là où il y a plusieurs graines, celui des graines
# {cite:p}`efron1993bootstrap,wilson1927probable`. Une étoile signale un meilleur score seulement
# quand l’écart avec *chacun* des autres modèles exclut zéro, tous ensemble ; sans étoile, il n’y a
# pas de premier.

# %%
from vitrine.metrics.metrics import accuracy, log_loss, macro_f1
from vitrine.metrics.table import leader, recipe_panel
from vitrine.report import tables

panels = {recipe: recipe_panel(truth, runs) for recipe, runs in answers.items()}
ranked = sorted(panels, key=lambda recipe: -panels[recipe]["accuracy"].value)
once = [r for r in ranked if len(groups[r]) == 1 and session.recipe(r).trainer != "probe"]
labels = {r: model_name(r) + (" : une graine" if r in once else "") for r in ranked}
named = {labels[recipe]: panels[recipe] for recipe in ranked}
runs = {labels[recipe]: answers[recipe] for recipe in ranked}
seeds = {name: len(said) for name, said in runs.items()}
leaders = {m.name: leader(truth, runs, m) for m in (accuracy, macro_f1, log_loss)}
tables.show(tables.comparison(named, seeds=seeds, leaders=leaders))

# %% [markdown]
# La dernière ligne sert de plancher : {verdict}`all_learn`. La perte logarithmique se lit à
# l’envers des autres scores, le plus bas étant le meilleur ; elle punit les réponses fausses et
# sûres d’elles. Les intervalles du tableau se recouvrent ou non, mais ce n’est pas ainsi que l’on
# compare deux modèles : nous y venons.
#
# Toutes les lignes ne se lisent pas de la même façon. Celles qui portent « une graine » viennent d’un seul
# entraînement : leur intervalle ignore ce qu’un autre aurait donné, et il est trop étroit pour juger la
# recette. Une sonde, elle, ne tire rien au hasard. MambaVision (nano), que le service embarque, a été
# entraînée {valeur}`mambavision-nano-scratch.epochs` époques, quand les autres réseaux partis de zéro en ont
# {valeur}`efficientnet-b0-torch-scratch.epochs` : aucune comparaison annoncée ne porte sur elle.

# %% mystnb={"figure": {"name": "fig-comparaison-scores", "caption": "Exactitude et F1 macro de chaque modèle sur les images de test, avec leurs intervalles à 95 %. La ligne du bas est la réponse constante."}, "image": {"alt": "Pour chaque modèle, deux points et leurs barres d’erreur horizontales : l’exactitude et le F1 macro, du modèle le mieux classé en haut à la réponse constante en bas."}}
from vitrine.report.figures import comparison

comparison.forest(
    {
        "Exactitude": {recipe: panels[recipe]["accuracy"] for recipe in ranked},
        "F1 macro": {recipe: panels[recipe]["macro_f1"] for recipe in ranked},
    }
)

# %% [markdown]
# Sur la {numref}`fig-comparaison-scores`, l’écart entre les deux scores d’un modèle dit s’il sacrifie des
# catégories. La réponse constante, qui n’en connaît qu’une, a un F1 macro bien plus bas que son
# exactitude ; un modèle qui les reconnaît toutes également a deux scores voisins.
#
# Le panneau complet ajoute l’exactitude à deux réponses, utile si une personne choisit entre deux
# propositions, et deux mesures de l’honnêteté des probabilités : le score de Brier et l’erreur de
# calibration {cite:p}`guo2017calibration`.

# %%
tables.show(tables.scores(named))

# %% [markdown]
# ## La graine et les images : deux hasards différents
#
# Réentraîner change le score ; changer d’images de test aussi. Confondre ces deux hasards conduit à
# des intervalles trop étroits {cite:p}`bouthillier2021accounting`. Nous montrons donc chaque
# graine à part, sur les mêmes images, sous la moyenne et son intervalle.

# %% mystnb={"figure": {"name": "fig-comparaison-graines", "caption": "Exactitude de chaque graine des réseaux entraînés (cercles), et moyenne sur les graines avec son intervalle à 95 % (losange)."}, "image": {"alt": "Une ligne par réseau entraîné : un losange pour la moyenne, avec une barre d’erreur horizontale, et au-dessous un cercle par graine."}}
from vitrine.report.figures import training

trained = [name for name in ranked if session.recipe(name).trainer != "probe"]
by_seed = {name: [accuracy(truth, p) for p in answers[name]] for name in trained}
training.seeds(
    {name: (by_seed[name], panels[name]["accuracy"]) for name in trained},
    metric="Exactitude",
)

# %% [markdown]
# Mis en nombres, pour les recettes qui ont plusieurs graines : l’écart-type d’une graine à l’autre
# sur nos images, puis celui de la moyenne d’un tirage d’images à l’autre. Une case vide veut dire
# qu’une seule graine est publiée : la variation de l’entraînement est alors inconnue, non pas nulle.

# %%
import numpy as np
import pandas as pd
from vitrine.metrics.seeds import over_seeds

several = [name for name in trained if len(answers[name]) > 1]
spread = {name: over_seeds(truth, answers[name], accuracy) for name in several}
table = pd.DataFrame({"Modèle": [model_name(name) for name in trained]})
table["Graines"] = [len(answers[name]) for name in trained]
for title, field in (("graines", "between_seeds"), ("tirages", "between_draws")):
    spreads = [getattr(spread.get(name), field, np.nan) for name in trained]
    table[f"Entre {title} (points)"] = 100 * np.array(spreads)
tables.show(table)

# %% [markdown]
# ## Les écarts annoncés
#
# Deux modèles trouvent souvent difficiles les mêmes images. En les comparant *sur les mêmes images*,
# ce qu’elles ont de difficile s’annule : le bootstrap apparié rééchantillonne les images une fois
# pour les deux. Le test compare, sur chaque image, la part des graines de l’une et de l’autre recette
# qui ont raison : si elles se valaient, le signe de cette différence serait tiré à pile ou face. Avec une
# graine de chaque côté, c’est le test de McNemar {cite:p}`mcnemar1947note`, qui ne regarde que les images
# où une seule des deux a raison ; le tableau les compte, pour la première graine. Comme nous faisons
# plusieurs tests, leurs valeurs p sont corrigées par la méthode de Holm {cite:p}`holm1979simple`.

# %%
from vitrine.metrics.table import announced

family = pairs.on_split(ranked)[0]
compared = announced(truth, answers, family, (accuracy, macro_f1))

# %% [markdown]
# Nous n’écrivons « écart établi » que si l’intervalle exclut zéro *et* si la valeur p corrigée passe
# sous le seuil. Sinon, nous écrivons « non départagés », ce qui ne veut pas dire « égaux ».

# %%
tables.show(
    tables.announced(
        {f"{model_name(b)} contre {model_name(a)}": found for (a, b), found in compared.items()}
    )
)

# %% [markdown]
# La figure reprend les écarts d’exactitude. La bande grise ne juge pas un écart mesuré : l’intervalle et
# la valeur p le font. Elle dit quels vrais écarts notre règle a peu de chances d’établir ici : sous
# {valeur}`power.smallest_gap`, elle en manque plus d’un sur cinq, pour deux exécutions en désaccord sur
# {valeur}`power.discordance` des images et trois graines de chaque côté.

# %% mystnb={"figure": {"name": "fig-comparaison-ecarts", "caption": "Écarts d’exactitude des comparaisons annoncées, intervalles à 95 % appariés. Bande grise : vrais écarts que notre règle manquerait plus d’une fois sur cinq. Elle ne juge pas un écart mesuré : l’intervalle et la valeur p le font."}, "image": {"alt": "Une ligne par comparaison annoncée : un losange pour l’écart d’exactitude et sa barre d’erreur, autour d’un trait vertical à zéro entouré d’une bande grise."}}
from vitrine.metrics.settling import smallest_settled_gap
from vitrine.report.ledger import context

from vitrine.data import splits

ours = len(splits.load().part("test"))
comparison.announced_gaps(
    {pair: found.gaps["accuracy"] for pair, found in compared.items()},
    metric="Écart d’exactitude (points)",
    smallest=smallest_settled_gap(context.on_split(ours)),
)

# %% [markdown]
# Ce que ces écarts permettent de dire :
#
# * {verdict}`probe_beats_scratch`
#   ({valeur:ecart-ic}`gap.mobilenetv2-int8-probe.efficientnet-b0-keras-scratch.accuracy`) ;
# * {verdict}`scratch_against_classical`
#   ({valeur:ecart-ic}`gap.efficientnet-b0-keras-scratch.histogram-hog.accuracy`) ;
# * {verdict}`frameworks_differ`
#   ({valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy`) ;
# * {verdict}`architectures_differ`
#   ({valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy`).
#
# Ces verdicts portent sur les exécutions publiées : {valeur}`efficientnet-b0-keras-scratch.seeds` en
# TensorFlow, {valeur}`efficientnet-b0-torch-scratch.seeds` en PyTorch,
# {valeur}`mambavision-micro-scratch.seeds` pour MambaVision. Là où il n’y en a qu’une de chaque
# côté, l’intervalle ignore la graine, et un écart entre bibliothèques peut encore être celui de deux
# tirages.

# %% [markdown]
# ## De quoi l’avance de la sonde est-elle faite ?
#
# La sonde et le réseau entraîné de zéro diffèrent par plus que le préentraînement : le côté des photos,
# l’architecture, la recette. Des témoins changent une chose à la fois. Ils n’étaient pas annoncés, et ne
# sont dans aucun tableau.
#
# * **Le côté.** Réduites au côté que lisent les réseaux partis de zéro, puis agrandies, les photos donnent
#   {valeur:ic}`mobilenetv2-int8-probe-128.cv_accuracy` sur les plis. Les lire plus grandes y change le
#   score de {valeur:ecart-ic}`gap.mobilenetv2-int8-probe.mobilenetv2-int8-probe-128.cv_accuracy` :
#   {verdict}`larger_photos_help`. Sur les images de test, {verdict}`small_probe_beats_scratch`
#   ({valeur:ecart-ic}`gap.mobilenetv2-int8-probe-128.efficientnet-b0-keras-scratch.accuracy`).
# * **Les poids.** Sur un MobileNetV2 dont les poids sont tirés au hasard, la même sonde obtient
#   {valeur:ic}`mobilenetv2-random-probe.cv_accuracy` :
#   {verdict}`learned_weights_help`
#   ({valeur:ecart-ic}`gap.mobilenetv2-int8-probe.mobilenetv2-random-probe.cv_accuracy`).
# * **L’architecture et la recette.** Ce témoin manque : MobileNetV2 entraîné de zéro par la recette
#   commune, `vitrine train mobilenetv2-torch-scratch`.

# %% [markdown]
# ## Quel écart ces images peuvent-elles montrer ?
#
# La question se pose avant les résultats, pas après {cite:p}`card2020power`. Plus deux modèles sont
# en désaccord, plus il faut d’images pour dire lequel a raison. Pour une exécution de chaque côté, le
# calcul est exact : le plus petit écart que le test de McNemar décèle quatre fois sur cinq
# {cite:p}`connor1987sample`. Avec plusieurs graines, un intervalle en plus et une correction, la règle
# est appliquée à des réponses simulées : de là viennent les valeurs citées plus haut.

# %% mystnb={"figure": {"name": "fig-comparaison-puissance", "caption": "Plus petit écart d’exactitude décelable quatre fois sur cinq, selon le nombre d’images de test (échelle logarithmique) et la part d’images où un seul des deux modèles a raison."}, "image": {"alt": "Trois courbes qui descendent quand le nombre d’images de test augmente, une par part d’images discordantes ; un trait vertical marque notre nombre d’images."}}
from vitrine.metrics.power import smallest_paired_gap

sizes, usual = [100, ours, 300, 1000, 3000], context.DISCORDANCE
curves = {
    share: [smallest_paired_gap(images=n, discordance=share) for n in sizes]
    for share in (usual / 2, usual, 2 * usual)
}
comparison.smallest_gaps(curves, sizes, ours=ours)

# %% [markdown]
# L’hypothèse du protocole se contrôle ensuite sur les réponses : entre la sonde et le réseau
# TensorFlow, la part d’images discordantes est de
# {valeur}`gap.mobilenetv2-int8-probe.efficientnet-b0-keras-scratch.discordance` ; entre les deux
# réseaux entraînés de zéro, de
# {valeur}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.discordance`. C’est la
# courbe de cette part-là qu’il faut lire sur la {numref}`fig-comparaison-puissance`.

# %% [markdown]
# ## Au-delà d’un seul découpage
#
# Un script d’essai, raconté dans {doc}`le protocole <../book/protocole>`, a montré que des variantes
# presque égales d’un même modèle s’écartent de {valeur}`trial.spread_test` sur ces images de test, et
# de {valeur}`trial.spread_folds` seulement sur des plis répétés. Pour les modèles assez légers, nous
# répétons donc la validation croisée, doublons groupés. Les plis partagent leurs images
# d’entraînement : l’intervalle est corrigé pour en tenir compte
# {cite:p}`nadeau2003inference,bouckaert2004evaluating`.

# %% mystnb={"figure": {"name": "fig-comparaison-plis", "caption": "Exactitude de chaque pli (traits), moyenne avec son intervalle corrigé à 95 % (losange), et exactitude sur les images de test publiées (croix)."}, "image": {"alt": "Une ligne par modèle léger : une rangée de traits pour les plis, un losange avec barre d’erreur pour leur moyenne, une croix pour les images de test publiées."}}
from vitrine.report.ledger.measures import fold_scores, has_folds
from vitrine.metrics.folds import corrected_interval

repeated = {}
for recipe in ranked:
    if has_folds(groups[recipe][0]):
        scores = fold_scores(groups[recipe][0], accuracy)
        mean = corrected_interval(scores, test_over_train=splits.TEST_OVER_TRAIN)
        repeated[recipe] = (scores, mean, panels[recipe]["accuracy"].value)
comparison.folds(repeated, metric="Exactitude")

# %% [markdown]
# La sonde obtient {valeur:ic}`mobilenetv2-int8-probe.cv_accuracy` sur les plis, avec un écart-type
# de {valeur}`mobilenetv2-int8-probe.cv_accuracy_sd` d’un pli à l’autre : c’est l’ordre de grandeur de
# ce qu’un découpage unique ajoute ou retire par chance. Pli par pli, son écart avec les descripteurs
# classiques est de {valeur:ecart-ic}`gap.mobilenetv2-int8-probe.histogram-hog.cv_accuracy` :
# {verdict}`probe_beats_classical`.

# %% [markdown]
# ## Catégorie par catégorie
#
# Une moyenne cache des catégories. Le F1 de chacune réunit sa précision et son rappel ; pour une
# recette à plusieurs graines, nous en prenons la moyenne.

# %% mystnb={"figure": {"name": "fig-comparaison-categories", "caption": "F1 de chaque modèle dans chaque catégorie, en pourcentage ; plus la case est foncée, mieux la catégorie est reconnue."}, "image": {"alt": "Carte de chaleur : les modèles en lignes, les sept catégories en colonnes, le F1 écrit dans chaque case."}}
from vitrine.metrics.classes import class_f1

f1 = np.empty((len(CLASSES), len(ranked)))
for k in range(len(CLASSES)):
    for column, recipe in enumerate(ranked):
        f1[k, column] = np.mean([class_f1(k)(truth, p) for p in answers[recipe]])
comparison.class_f1(f1, ranked)

# %% [markdown]
# Chaque case de la {numref}`fig-comparaison-categories` repose sur une vingtaine d’images : une seule
# image mal classée y déplace le F1 de plusieurs points. On y lit des tendances communes à plusieurs
# modèles, pas un classement catégorie par catégorie.

# %% [markdown]
# ## Et sans les images qui ont fui ?
#
# {valeur}`data.test_leaked` images de test ont un double, exact ou presque, dans l’entraînement ou la
# validation. Le découpage publié les garde, pour rester comparable ; nous refaisons donc le calcul
# sans elles, sur {valeur}`data.test_clean` images.

# %% mystnb={"figure": {"name": "fig-comparaison-fuites", "caption": "Exactitude avec et sans les images de test qui ont un double dans une autre partie, intervalles à 95 %."}, "image": {"alt": "Pour chaque modèle, deux points avec leurs barres d’erreur : l’exactitude sur toutes les images de test, et sans celles qui ont un double."}}
from vitrine.report.ledger.context import clean
from vitrine.metrics.table import recipe_score

kept = clean(images)
every = {recipe: panels[recipe]["accuracy"] for recipe in ranked}
without = {}
for recipe in ranked:
    said = [run[kept] for run in answers[recipe]]
    without[recipe] = recipe_score(truth[kept], said, accuracy)
comparison.forest({"Toutes les images": every, "Sans les doubles": without})

# %% [markdown]
# Pour la sonde, l’exactitude passe de {valeur}`mobilenetv2-int8-probe.accuracy` à
# {valeur}`mobilenetv2-int8-probe.accuracy_clean`. Si peu d’images ne peuvent guère déplacer un score :
# mieux vaut regarder les réponses qu’elles ont reçues. Les réseaux entraînés de zéro y donnent
# {valeur}`leaks.right` réponses justes sur {valeur}`leaks.answers`, toutes graines réunies, contre
# {valeur}`leaks.right_elsewhere` ailleurs : {verdict}`leaks_are_easier` (p = {valeur}`leaks.p`, test
# exact par permutation des photos). Ce n’est pas prouver que le double en est la cause : ces photos
# pourraient être plus faciles de toute façon.

# %% [markdown]
# ## Quand la photo est abîmée
#
# Un vendeur n’a pas toujours un bon appareil. Nous abîmons les mêmes photos de cinq façons, à cinq
# forces, avec les réglages d’un banc d’essai connu {cite:p}`hendrycks2019benchmarking` ; le
# recadrage, lui, est de nous. Répondre à ces photos demande les poids, que le dépôt ne contient pas :
# `vitrine robustness` l’a fait une fois, sur la machine qui les possède, pour une graine par recette.

# %%
from vitrine.explain import facts, robustness
from vitrine.report.figures import explanation

labels = facts.labels(session)
robust = {r: table for r, table in facts.read(session, "robustness").items() if r in groups}
for recipe, run in facts.explained(session, "robustness").items():
    if recipe in robust:
        print(f"{model_name(recipe)}, graine {run.meta['seed']}")

# %% [markdown]
# Chaque modèle doit avoir répondu, dans chaque condition, à toutes les images de test et à elles
# seules. Nous le vérifions, et rappelons les conditions.

# %% tags=["nbval-check-output"]
from vitrine.data.corruptions import CORRUPTIONS, STRENGTHS

test = set(session.split.part("test").row)
conditions = [rows for t in robust.values() for _, rows in t.groupby(["corruption", "strength"])]
print("Forces :", *STRENGTHS)
print(
    "Dégradations :", *[explanation.CORRUPTIONS_FR[name] for name in CORRUPTIONS], sep="\n  "
)
whole = all(set(rows.row) == test and len(rows) == len(test) for rows in conditions)
print("Toutes les images de test dans chaque condition :", "oui" if whole else "non")

# %% mystnb={"figure": {"name": "fig-comparaison-degradations", "caption": "Exactitude selon la force de cinq dégradations (0 : photo intacte), intervalles à 95 %. En tirets : une réponse tirée au hasard."}, "image": {"alt": "Cinq panneaux, un par dégradation : flou, bruit, compression JPEG, éclaircissement, recadrage. Dans chacun, une courbe d’exactitude par modèle, de la photo intacte à la force cinq."}}
spoiled = {
    name: {recipe: robustness.curve(table, name, labels) for recipe, table in robust.items()}
    for name in CORRUPTIONS
}
explanation.curves(spoiled, x="Force", chance=1 / len(CLASSES))

# %% [markdown]
# La force 0 n’est pas tout à fait l’exactitude du premier tableau. Pour que la chute ne vienne que de
# la dégradation, la photo intacte suit le chemin des photos abîmées : elle passe par une taille commune
# à tous les modèles, puis par celle que chacun lit. Ce détour change la réponse du réseau PyTorch sur
# {valeur}`efficientnet-b0-torch-scratch.robust_turned` images de test, celle du réseau TensorFlow sur
# {valeur}`efficientnet-b0-keras-scratch.robust_turned`, celle de MambaVision sur
# {valeur}`mambavision-micro-scratch.robust_turned`, et celle de la sonde, qui lit déjà cette taille,
# sur {valeur}`mobilenetv2-int8-probe.robust_turned`. Les pertes qui suivent partent de là.
#
# Du bruit à la force 5 change l’exactitude du réseau PyTorch de
# {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_noise_5`, celle de MambaVision de
# {valeur:ecart-ic}`mambavision-micro-scratch.change_noise_5` et celle de la sonde de
# {valeur:ecart-ic}`mobilenetv2-int8-probe.change_noise_5`. De toutes les dégradations à cette force,
# {verdict}`noise_breaks_all`. Pour la compression JPEG, {verdict}`jpeg_leaves_scratch`
# ({valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_jpeg_5` à la force 5 pour celui de PyTorch) : ce
# n’est pas dire que l’effet est nul, l’intervalle borne ce qui a pu nous échapper. Celle de la sonde, qui
# lit des photos plus grandes, change de {valeur:ecart-ic}`mobilenetv2-int8-probe.change_jpeg_5`.
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
# côté que celui de son entraînement, ce que tous nos réseaux acceptent.

# %% mystnb={"figure": {"name": "fig-comparaison-resolution", "caption": "Exactitude selon le côté de la photo réduite (en haut) et selon le côté de l’entrée du réseau (en bas), intervalles à 95 %. La sonde et les descripteurs classiques ont une entrée de taille fixe."}, "image": {"alt": "Deux panneaux : en haut une courbe d’exactitude par modèle selon le côté de la photo réduite, de 32 à 128 pixels ; en bas, une courbe par réseau selon le côté de l’entrée, de 64 à 224 pixels."}}
sides = {
    name: {recipe: robustness.curve(table, name, labels) for recipe, table in robust.items()}
    for name in (robustness.THUMBNAIL, robustness.INPUT)
}
sides = {name: {r: points for r, points in s.items() if points} for name, s in sides.items()}
explanation.curves(sides, x="Côté (pixels)", chance=1 / len(CLASSES))

# %% [markdown]
# Réduire les photos à 64 pixels change l’exactitude du réseau PyTorch de
# {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_thumbnail_64`, celle de MambaVision de
# {valeur:ecart-ic}`mambavision-micro-scratch.change_thumbnail_64` et celle de la sonde, qui lit des photos
# plus grandes, de {valeur:ecart-ic}`mobilenetv2-int8-probe.change_thumbnail_64`.
#
# Le panneau du bas compare chaque côté à celui de l’entraînement. Pour le réseau PyTorch, une entrée deux fois
# plus petite donne {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_input_64` ; une entrée un peu plus
# grande, de 160 pixels, {valeur:ecart-ic}`efficientnet-b0-torch-scratch.change_input_160`. Un tel gain est
# connu : les recadrages de l’entraînement grossissent les objets, qu’une évaluation un peu plus fine
# remet à la même échelle {cite:p}`touvron2019fixing`. Ici, {verdict}`larger_input_helps`. Pour MambaVision,
# les mêmes côtés donnent {valeur:ecart-ic}`mambavision-micro-scratch.change_input_64` et
# {valeur:ecart-ic}`mambavision-micro-scratch.change_input_160` : hors du côté de son entraînement, ses
# fenêtres ne couvrent plus la carte exactement, et des zéros les complètent.

# %% [markdown]
# ## Répondre, ou passer la main
#
# Une place de marché n’a pas à choisir entre tout automatiser et ne rien automatiser. Un modèle peut
# ne répondre que lorsqu’il est sûr, et laisser le reste à une personne
# {cite:p}`geifman2017selective`. Reste à savoir si sa confiance trie bien ses erreurs. Nous traçons
# l’exactitude sur les photos auxquelles il répond, des plus sûres à toutes.

# %% mystnb={"figure": {"name": "fig-comparaison-couverture", "caption": "Exactitude sur les photos auxquelles le modèle répond, selon la part de photos qu’il accepte ; la couverture diminue vers la droite. Première graine de chaque recette."}, "image": {"alt": "Une courbe par modèle : à gauche toutes les photos, à droite les seules plus sûres ; la hauteur est l’exactitude sur les photos gardées."}}
from vitrine.report.figures import decisions
from vitrine.metrics.decision import selective_curve

asked = [recipe for recipe in ranked if recipe != "majority"]
first = {recipe: answers[recipe][0] for recipe in asked}
decisions.selective(
    {recipe: selective_curve(truth, said) for recipe, said in first.items()}
)

# %% [markdown]
# Une courbe qui monte vers la droite dit que la confiance est utile ; une courbe plate, qu’elle ne
# l’est pas. En répondant à {valeur}`power.answered` des photos, la sonde atteint
# {valeur:ic}`mobilenetv2-int8-probe.accuracy_answered` d’exactitude, et le réseau TensorFlow entraîné de
# zéro {valeur:ic}`efficientnet-b0-keras-scratch.accuracy_answered`. Les intervalles, que la figure ne porte
# pas, s’élargissent vers la droite, où il reste peu de photos : deux courbes voisines ne s’y départagent
# pas. Ces seuils sont lus sur les images de test et sont donc flatteurs : en service, ils se choisissent
# sur d’autres images.

# %% [markdown]
# ## Ce que coûtent les erreurs
#
# Toutes les erreurs ne se valent pas. Nous posons, **par hypothèse**, qu’une erreur ordinaire coûte 1,
# qu’une confusion entre linge de maison et décoration, rayons voisins, coûte moitié moins, et qu’un
# article de puériculture mal rangé coûte le double. Ces valeurs ne viennent pas des données : elles
# sont là pour être remplacées par celles du métier. La dernière est la plus discutable : nous la ferons
# varier.

# %%
ordinary = 1.0 - np.eye(len(CLASSES))
names = ("Home Decor & Festive Needs", "Home Furnishing", "Baby Care")
decor, furnishing, baby = (CLASSES.index(name) for name in names)
ordinary[[decor, furnishing], [furnishing, decor]] = 0.5
is_baby = np.arange(len(CLASSES))[:, None] == baby
matrices = {times: ordinary * np.where(is_baby, times, 1) for times in (1, 2, 4)}

table = pd.DataFrame(matrices[2], columns=CLASSES_FR.values())
table.insert(0, "Vraie, puis prédite", CLASSES_FR.values())
tables.show(table)

# %% [markdown]
# Pour chaque photo, la décision est celle dont le coût attendu est le plus faible, d’après les
# probabilités du modèle {cite:p}`elkan2001foundations` ; « demander à une personne » en fait partie,
# à un prix que nous faisons varier.

# %%
from vitrine.metrics.decision import cheapest, expected_cost

prices, person = np.linspace(0, 1, 11), np.ones(len(CLASSES))
costs = {}
for times, matrix in matrices.items():
    tariffs = [np.column_stack([matrix, price * person]) for price in prices]
    costs[f"×{times}"] = {
        recipe: [expected_cost(truth, cheapest(said, t), t) for t in tariffs]
        for recipe, said in first.items()
    }

# %% mystnb={"figure": {"name": "fig-comparaison-couts", "caption": "Coût moyen par photo selon le prix d’un regard humain, une erreur ordinaire valant 1, pour la matrice de coûts supposée. Le curseur change ce que coûte un article de puériculture mal rangé. En tirets : tout confier à une personne."}, "image": {"alt": "Une courbe de coût par modèle, qui monte puis s’aplatit quand le prix d’un regard humain augmente ; une droite en tirets marque le coût de tout confier à une personne."}}
decisions.expected_costs(prices, costs, about="Puériculture mal rangée", first="×2")

# %% [markdown]
# Là où une courbe de la {numref}`fig-comparaison-couts` touche la droite en tirets, le modèle
# n’apporte rien : autant tout confier à une personne. Là où elle passe au-dessus, ses probabilités ont
# trompé la décision sur ces photos : il se croit plus sûr qu’il n’est, à moins que le hasard de si peu
# d’images n’ait joué. Le coût à droite, quand un regard vaut
# une erreur, est proche de celui d’un tri entièrement automatique. Poussez le curseur : plus une sorte
# d’erreur coûte cher, plus tôt il vaut mieux demander à une personne.

# %% [markdown]
# ## Le score et son prix
#
# Un modèle coûte des paramètres à apprendre, du temps et de l’énergie pour les apprendre, puis du calcul
# à chaque photo. Pour une sonde, seuls les paramètres de la tête sont appris ; le préentraînement, fait
# ailleurs par d’autres, n’est compté pour personne. Les multiplications et le temps d’une réponse
# (celui d’un lot, divisé par sa taille) viennent de `vitrine bench recipes`, sur un seul cœur. Sur une
# carte graphique, rien n’est mesuré tant que le panneau est vide : `vitrine bench recipes --device cuda` le
# remplit. L’énergie est **estimée**, d’après le temps de
# processeur et la mémoire {cite:p}`lannelongue2021green` : la méthode est au pied de la page.

# %%
from vitrine.report.tables import speeds
from vitrine.bench import results

measured = {name: results.read(name) for name in ("recipes", "recipes-cuda")}
sheets = {name: found for name, found in measured.items() if found}
costly = speeds.costs({recipe: published()[recipe][0] for recipe in ranked}, sheets)
reached = pd.DataFrame([vars(panels[recipe]["accuracy"]) for recipe in ranked])

# %% mystnb={"figure": {"name": "fig-comparaison-prix", "caption": "Exactitude selon six coûts, échelles logarithmiques, intervalles à 95 %. En pointillés, les modèles qu’aucun autre ne bat à la fois sur le coût et sur l’exactitude. Un panneau sans point : rien n’est mesuré."}, "image": {"alt": "Six nuages de points l’un sous l’autre, un point par modèle avec sa barre d’erreur : l’exactitude selon les paramètres appris, la durée et l’énergie d’un entraînement, les multiplications par photo, le temps d’une réponse sur un cœur et sur une carte graphique ; un escalier en pointillés relie les modèles que rien ne domine."}}
decisions.efficiency(
    costly.join(reached),
    {
        "parameters": "Paramètres appris",
        "minutes": "Durée d’un entraînement (min)",
        "energy": "Énergie d’un entraînement (Wh, estimée)",
        "multiply_adds": "Multiplications-additions par photo",
        "core": "Temps d’une réponse (ms, un cœur)",
        "card": "Temps d’une réponse (ms, carte graphique)",
    },
)

# %% [markdown]
# Un point manque là où rien ne compte la chose : les opérations d’un réseau quantifié ou d’un histogramme. Le front en pointillés de la {numref}`fig-comparaison-prix` tient
# compte des scores, non de leurs intervalles : deux modèles non départagés peuvent y échanger leur place.
#
# Le réseau entraîné de zéro en TensorFlow a demandé
# {valeur}`efficientnet-b0-keras-scratch.training_minutes` par graine, en moyenne, pour apprendre
# {valeur}`efficientnet-b0-keras-scratch.parameters` de paramètres ; celui en PyTorch,
# {valeur}`efficientnet-b0-torch-scratch.training_minutes`. Ces durées ont été relevées sur des machines
# partagées : elles donnent un ordre de grandeur. Celle de Keras est de plus trop longue : notre
# programme faisait alors préparer son graphe à TensorFlow au début de chaque époque, et non une fois
# pour toutes. Ce défaut est corrigé ; il ne changeait rien aux réponses
# ({doc}`la référence <03_baseline_tensorflow>`).
#
# `vitrine bench training` compare donc les vitesses à part : les trois réseaux apprennent tour à tour,
# avec la même recette, sur un fil d’une machine au repos. EfficientNet-B0 y parcourt
# {valeur}`efficientnet-b0-keras-scratch.learning_speed` en Keras et
# {valeur}`efficientnet-b0-torch-scratch.learning_speed` en PyTorch ; MambaVision micro,
# {valeur}`mambavision-micro-scratch.learning_speed`. D’un tour à l’autre, la vitesse de PyTorch, rapportée
# à celle de Keras pour le même réseau, va de {valeur}`efficientnet-b0-torch-scratch.learning_ratio_least`
# à {valeur}`efficientnet-b0-torch-scratch.learning_ratio_most`. Keras demande en plus, une fois,
# {valeur}`efficientnet-b0-keras-scratch.first_epoch_more` de préparation.

# %% [markdown]
# ## Ce que d’autres ont publié sur ces images
#
# Une preuve de concept antérieure {cite:p}`hedredo2025oc` a réglé finement des réseaux préentraînés,
# dont trois MambaVision {cite:p}`hatamizadeh2024mambavision`, un Swin
# {cite:p}`liu2021swin`, un MobileViT {cite:p}`mehta2022separable` et EfficientNet-B0
# {cite:p}`tan2019efficientnet`, sur le même découpage. Ce sont des résultats **cités** : une seule
# exécution chacun, sans intervalle, et sans réponses image par image. Aucun test apparié n’est donc
# possible, ni entre eux ni avec les nôtres.

# %%
from vitrine import paths

poc = pd.read_csv(paths.root() / "ressources" / "prior_poc.csv")
tables.show(tables.cited(poc))

# %% [markdown]
# Sans les réponses, deux exactitudes se comparent comme si elles venaient d’images différentes : il
# faut alors un vrai écart d’environ {valeur}`power.smallest_unpaired_gap` pour le déceler quatre fois
# sur cinq. La bande grise a cette largeur de part et d’autre d’EfficientNet-B0 ; elle dit ce qui
# échapperait souvent à un test, et n’en est pas un.

# %% mystnb={"figure": {"name": "fig-comparaison-cites", "caption": "Exactitudes publiées par la preuve de concept antérieure, une exécution par point. Bande grise : autour d’EfficientNet-B0, vrais écarts qu’un test sans les réponses image par image manquerait plus d’une fois sur cinq."}, "image": {"alt": "Une ligne par architecture : un cercle vide pour le réseau gelé, un cercle plein pour le réglage fin, reliés par un trait ; une bande grise entoure le résultat d’EfficientNet-B0."}}
from vitrine.metrics.power import smallest_unpaired_gap

smallest = smallest_unpaired_gap(images=ours, accuracy=context.POC_ACCURACY)
comparison.cited(poc, reference="EfficientNetB0_custom", smallest=smallest)

# %% [markdown]
# MambaVision-T y obtient {valeur}`poc.mambavision-t-1k-finetuned.accuracy` et EfficientNet-B0
# {valeur}`poc.efficientnetb0_custom-finetuned.accuracy`, soit {valeur:ecart}`poc_gap.mambavision-t.accuracy`,
# ou {valeur}`poc_gap.mambavision-t.photos` photos sur {valeur}`data.test`. Les réponses manquent, mais les
# comptes bornent le test de McNemar. Il est le plus net quand les photos que l’un des deux classe bien
# sont toutes parmi celles de l’autre : la valeur p serait alors, au mieux, de
# {valeur}`poc_gap.mambavision-t.p_bound` pour MambaVision-T, de {valeur}`poc_gap.mambavision-s.p_bound`
# pour S et de {valeur}`poc_gap.mambavision-b.p_bound` pour B, qui devient
# {valeur}`poc_gap.mambavision-b.holm_bound` une fois les trois tests corrigés. En clair,
# {verdict}`poc_below_power`. Ces nombres n’établissent ni que MambaVision est meilleure, ni qu’elle ne
# l’est pas.
#
# Que vaut alors leur classement des réseaux gelés ? Leur MobileNetV2 y a
# {valeur}`poc.mobilenet_v2_1.0_224-frozen.accuracy`, quand la sonde, sur le même réseau gelé, a
# {valeur}`mobilenetv2-int8-probe.accuracy` des mêmes images. Leurs têtes ont appris avec AdamW à un taux
# constant d’un cent-millième. Avec ces réglages, une tête sur nos caractéristiques obtient
# {valeur:ic}`mobilenetv2-int8-slow-head.accuracy` ; à un taux cent fois plus grand,
# {valeur:ic}`mobilenetv2-int8-fast-head.accuracy` : {verdict}`rate_starves_the_head`
# ({valeur:ecart-ic}`gap.mobilenetv2-int8-fast-head.mobilenetv2-int8-slow-head.accuracy`). Le taux
# n’explique donc qu’une part de la différence. Pour le reste, nous n’avons qu’une hypothèse : leur programme
# laisse le réseau gelé en mode d’entraînement, où les statistiques de ses normalisations suivent chaque petit
# lot ; le nôtre, en 8 bits, n’en a plus à dérégler. Dans les deux cas, leur classement dit comment chaque
# réseau a supporté ces réglages autant que ce que valent ses caractéristiques.

# %% [markdown]
# ## Les images qui résistent
#
# Une image que tous les modèles manquent apprend plus qu’une moyenne : l’objet y est ambigu, la
# catégorie discutable, ou la photo trompeuse. Nous comptons, pour chaque image de test, les modèles
# qui se trompent (première graine, réponse constante exclue).

# %% mystnb={"figure": {"name": "fig-comparaison-resistantes", "caption": "Images de test selon le nombre de modèles qui s’y trompent, par catégorie."}, "image": {"alt": "Barres empilées par catégorie : en abscisse le nombre de modèles qui se trompent, de zéro à tous, en ordonnée le nombre d’images de test."}}
predicted = {recipe: said.argmax(axis=1) for recipe, said in first.items()}
misses = np.sum([said != truth for said in predicted.values()], axis=0)
decisions.missed(truth, misses, len(asked))

# %% [markdown]
# Les images manquées par le plus de modèles, avec ce que chacun en dit. Le début du nom de fichier
# suffit à les retrouver dans le jeu de données.

# %%
hardest = np.argsort(-misses, kind="stable")[:15]
said = {model_name(recipe): predicted[recipe][hardest] for recipe in asked}
tables.show(tables.errors(images[hardest], truth[hardest], said))

# %% [markdown]
# Quand le livre est construit sur une machine qui possède les photos, les voici dans le même ordre,
# cinq par ligne ; le livre publié ne montre aucune photo de produit.

# %% mystnb={"figure": {"caption": "Les images de test manquées par le plus de modèles (constructions locales seulement)."}, "image": {"alt": "Planche de photos de produits, dans l’ordre du tableau précédent, cinq par ligne."}}
from vitrine.report.figures.data import sheet
from vitrine.data.images import decode

photos = None
if session.photos:
    catalog = session.catalog()
    places = [catalog.path(images[i]) for i in hardest]
    photos = sheet([decode(place, 192) for place in places], columns=5)
photos

# %% [markdown]
# ## Ce que nous retenons
#
# * Sur la question du livre, de zéro : {verdict}`architectures_differ`. Avec préentraînement, d’après
#   des résultats cités : {verdict}`poc_below_power`. Le plus petit écart que notre règle établit quatre
#   fois sur cinq est de {valeur}`power.oof_smallest_gap` sur toutes les photos et de
#   {valeur}`power.smallest_gap` sur le découpage publié ; sans les réponses image par image, il en faut
#   {valeur}`power.smallest_unpaired_gap`.
# * Sur le préentraînement : {verdict}`probe_beats_scratch`, et {verdict}`probe_beats_classical`.
# * Sur l’entraînement de zéro : {verdict}`scratch_against_classical`.
# * Sur la bibliothèque : {verdict}`frameworks_differ`.
# * Sur les fuites : {verdict}`leaks_are_easier`.
# * Sur les photos abîmées : {verdict}`noise_breaks_all` ; {verdict}`jpeg_leaves_scratch`.
# * Sur la résolution : {verdict}`larger_input_helps`.
#
# ## Ce qui pourrait être faux
#
# * **Le découpage.** Les comparaisons annoncées reposent sur un seul tirage de {valeur}`data.test` images.
#   Un réseau entraîné de zéro, qui n’a pas de plis, pourrait gagner ou perdre plusieurs points sur un autre.
# * **Le regard déjà posé.** Un script d’essai a regardé ces images de test avant le choix de la sonde : son
#   score y est peut-être un peu flatteur. Les plis répétés réduisent le hasard du découpage, non ce biais :
#   l’essai les avait parcourus aussi.
# * **La recette.** Elle a été fixée avant la première exécution et n’a pas été optimisée. Un réseau
#   entraîné de zéro avec une autre recette, une autre résolution ou plus d’époques ferait sans doute
#   autrement ; la comparaison vaut pour *cette* recette.
# * **Un entraînement par pli.** Sur toutes les photos, un réseau n’est entraîné qu’une fois par pli. Les
#   intervalles y redisent le hasard des photos jugées, non celui d’un autre entraînement.
# * **Des dégradations simulées.** Un flou gaussien n’est pas celui d’un téléphone. L’éclaircissement
#   n’éprouve pas les photos trop sombres, et le fond blanc de nombreuses photos ne peut pas s’éclaircir.
#   Ces réponses viennent d’une seule graine par recette, et ces mesures n’étaient pas annoncées.
# * **Les coûts.** La matrice est une hypothèse, l’énergie une estimation, et les durées viennent de
#   machines partagées.
#
# ```{provenance}
# ```
