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
# # À armes égales
#
# **Que reste-t-il de l’écart entre deux architectures quand elles partent des mêmes images, avec le
# même budget ?** D’abord, {verdict}`equal_images_learned`. Puis, après réglage fin, {verdict}`equal_images`.
#
# Toutes les comparaisons publiées mêlent deux choses : l’architecture, et ce qu’elle a déjà vu. Chaque
# réseau arrive avec son corpus, sa recette et sa durée d’entraînement. Ici, EfficientNet-B0 et
# MambaVision (micro, de même taille) apprennent d’abord les mêmes petites images, par la même recette.
# L’échelle est modeste, celle d’une machine à deux cœurs : ce chapitre compare des départs, pas des
# arrivées.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Le corpus et les deux protocoles
#
# Le corpus est un sous-ensemble de Tiny ImageNet {cite:p}`le2015tiny` : des images de 64 pixels de
# côté, des classes d’ImageNet en nombre réduit, une partie de validation que personne n’apprend. Les
# images ont été comprimées de nouveau, ce qui les change un peu ; elles ne sont pas dans le dépôt.
# `vitrine pretrain` les lit, ou télécharge le corpus d’origine.
#
# La recette est la même pour tous : mêmes augmentations, même optimiseur, même échéancier, moyenne
# mobile des poids. Une seule valeur appartient à chaque réseau, la part du dernier lot dans les
# moyennes de la normalisation ({doc}`le protocole <../book/protocole>` dit pourquoi). Deux protocoles
# ont été fixés dans les recettes avant la première exécution, et annoncés pendant celle-ci :
#
# * **à images égales** : chaque réseau voit les mêmes images, le même nombre de fois ;
# * **à durée égale** : chaque réseau apprend pendant le même temps, sur un cœur de la même machine.
#   Le plus lent des deux, EfficientNet-B0, fixe la durée : son unique préentraînement sert donc aux
#   deux protocoles, et seule MambaVision a été préentraînée deux fois.

# %%
from vitrine.report.figures.style import model_name, whole
from vitrine.report.ledger import equal_start
from vitrine.report.ledger.measures import published
from vitrine.training.session import begin

session = begin(profile)
pretrained = equal_start.pretrained()
groups = {
    recipe: [session.answers(recipe, run.meta["seed"]) for run in runs]
    for recipe, runs in published(equal_start=True).items()
}

# %% tags=["nbval-check-output"]
for recipe, run in pretrained.items():
    data = run.meta["data"]
    print(f"{model_name(recipe)} : {whole(data['train'])} images, {data['classes']} classes")

# %% [markdown]
# ## Apprendre d’abord autre chose
#
# Chaque préentraînement est jugé sur les images de validation du corpus, par les poids gardés à la
# fin ; rien n’a été choisi sur ces images. Le corpus a deux cents classes : répondre au hasard donne
# une réponse juste sur deux cents.

# %%
from vitrine.report import tables

named = {model_name(recipe): run for recipe, run in pretrained.items()}
scores = {
    name: [equal_start.first_guesses(run, count) for count in (1, 5)]
    for name, run in named.items()
}
tables.show(tables.pretrainings(named, scores))

# %% [markdown]
# À chaque image vue, les deux architectures n’apprennent pas autant ; à chaque minute, elles n’en
# voient pas autant. La figure sépare ces deux effets.

# %% mystnb={"figure": {"name": "fig-egales-preentrainement", "caption": "Exactitude sur la validation du corpus de préentraînement, selon le nombre d’images vues (en haut) et selon la durée sur un cœur (en bas)."}, "image": {"alt": "Deux panneaux et trois courbes dans chacun, une par préentraînement : l’exactitude monte avec le nombre d’images vues, en haut, et avec les minutes d’entraînement, en bas."}}
from vitrine.report.figures import training

training.pretrainings({recipe: run.history for recipe, run in pretrained.items()})

# %% [markdown]
# À images égales, EfficientNet-B0 finit à {valeur:ic}`efficientnet-b0-pretrain.top1` et MambaVision à
# {valeur:ic}`mambavision-micro-pretrain.top1` : {verdict}`equal_images_learned`. Sur ce cœur, l’une
# apprend {valeur}`efficientnet-b0-pretrain.speed` et l’autre
# {valeur}`mambavision-micro-pretrain.speed` ; à durée égale, MambaVision atteint
# {valeur:ic}`mambavision-micro-pretrain-clock.top1`.
#
# Deux précautions. La durée fixée d’avance était trop courte pour EfficientNet-B0, et la machine travaillait
# aussi à autre chose : il a pris {valeur}`efficientnet-b0-pretrain.minutes`, quand MambaVision s’arrêtait à
# {valeur}`mambavision-micro-pretrain-clock.minutes`. « À durée égale » désavantage donc ici MambaVision, en temps
# de processeur aussi ({valeur}`mambavision-micro-pretrain-clock.processor_minutes` contre
# {valeur}`efficientnet-b0-pretrain.processor_minutes`). Quant à l’attente des données, elle est
# négligeable : le corpus est décodé une fois pour toutes, puis lu en mémoire.

# %% [markdown]
# ## Ce que le préentraînement apporte à nos photos
#
# Les poids appris à 64 pixels passent à 128 pixels : aucun n’a de taille qui dépende de l’image, et
# les fenêtres de MambaVision sont fixées explicitement. Chaque réseau est ensuite réglé finement sur
# nos photos, pendant {valeur}`efficientnet-b0-transfer.epochs` époques. En face, le même réseau part de
# zéro, avec le même nombre d’époques. Les exécutions de {doc}`la comparaison <05_comparaison>`, de
# {valeur}`efficientnet-b0-torch-scratch.epochs` époques, ne sont donc pas les témoins de celles-ci ; elles
# rappellent ce que la patience seule obtient : {valeur:ic}`efficientnet-b0-torch-scratch.accuracy` pour
# EfficientNet-B0 et {valeur:ic}`mambavision-micro-scratch.accuracy` pour MambaVision.
#
# Chaque recette est entraînée avec {valeur}`efficientnet-b0-transfer.seeds` graines, en TensorFlow
# ({valeur}`efficientnet-b0-keras-transfer.seeds`) comme en PyTorch ; les graines d’un réseau partent toutes des
# mêmes poids préentraînés. Aucun intervalle ne couvre donc le hasard de ce préentraînement ; celui d’une sonde,
# qui n’a qu’une ligne de réponses, ne couvre que le tirage des images.

# %% tags=["nbval-check-output"]
tests = {name: [run.part("test") for run in runs] for name, runs in groups.items()}
answers = {name: [p.probabilities for p in parts] for name, parts in tests.items()}
parts = [part for runs in tests.values() for part in runs]
images, truth = parts[0].image, parts[0].truth
same = all((part.image == images).all() for part in parts)
print("Mêmes images de test, dans le même ordre, pour tous :", "oui" if same else "non")

# %%
from vitrine.metrics.metrics import accuracy, log_loss, macro_f1
from vitrine.metrics.table import leader, recipe_panel

panels = {recipe: recipe_panel(truth, runs) for recipe, runs in answers.items()}
ranked = sorted(panels, key=lambda recipe: -panels[recipe]["accuracy"].value)
shown = {model_name(recipe): panels[recipe] for recipe in ranked}
runs = {model_name(recipe): answers[recipe] for recipe in ranked}
seeds = {name: len(said) for name, said in runs.items()}
leaders = {m.name: leader(truth, runs, m) for m in (accuracy, macro_f1, log_loss)}
tables.show(tables.comparison(shown, seeds=seeds, leaders=leaders))

# %% mystnb={"figure": {"name": "fig-egales-transfert", "caption": "Exactitude et F1 macro sur nos images de test, intervalles à 95 % : de zéro en bref, par réglage fin après chaque préentraînement, et par une sonde linéaire sur les caractéristiques figées."}, "image": {"alt": "Pour chaque façon de partir, deux points et leurs barres d’erreur horizontales : l’exactitude et le F1 macro, de la meilleure façon en haut à la moins bonne en bas."}}
from vitrine.report.figures import comparison

comparison.forest(
    {
        "Exactitude": {recipe: panels[recipe]["accuracy"] for recipe in ranked},
        "F1 macro": {recipe: panels[recipe]["macro_f1"] for recipe in ranked},
    }
)

# %% [markdown]
# Les écarts annoncés suivent la règle du {doc}`protocole <../book/protocole>` : intervalle apparié sur
# les mêmes images, test des signes permutés sur toutes les graines, correction de Holm sur ce tableau.

# %%
from vitrine.metrics.table import announced

compared = announced(truth, answers, equal_start.COMPARISONS, (accuracy, macro_f1))
tables.show(
    tables.announced(
        {f"{model_name(b)} contre {model_name(a)}": found for (a, b), found in compared.items()}
    )
)

# %% mystnb={"figure": {"name": "fig-egales-ecarts", "caption": "Écarts d’exactitude annoncés, intervalles à 95 % appariés. Bande grise : vrais écarts que notre règle manquerait plus d’une fois sur cinq. Elle ne juge pas un écart mesuré : l’intervalle et la valeur p le font."}, "image": {"alt": "Une ligne par comparaison annoncée : un losange pour l’écart d’exactitude et sa barre d’erreur, autour d’un trait vertical à zéro entouré d’une bande grise."}}
from vitrine.data import splits
from vitrine.metrics.settling import smallest_settled_gap
from vitrine.report.ledger import context

comparison.announced_gaps(
    {pair: found.gaps["accuracy"] for pair, found in compared.items()},
    metric="Écart d’exactitude (points)",
    smallest=smallest_settled_gap(context.on_split(len(splits.load().part("test")))),
)

# %% [markdown]
# Ce que ces écarts permettent de dire :
#
# * {verdict}`equal_short`
#   ({valeur:ecart-ic}`gap.mambavision-micro-short.efficientnet-b0-short.accuracy`) ;
# * {verdict}`pretraining_helps_b0`
#   ({valeur:ecart-ic}`gap.efficientnet-b0-transfer.efficientnet-b0-short.accuracy`) ;
# * {verdict}`pretraining_helps_micro`
#   ({valeur:ecart-ic}`gap.mambavision-micro-transfer.mambavision-micro-short.accuracy`) ;
# * {verdict}`equal_images`
#   ({valeur:ecart-ic}`gap.mambavision-micro-transfer.efficientnet-b0-transfer.accuracy`) ;
# * {verdict}`equal_clock`
#   ({valeur:ecart-ic}`gap.mambavision-micro-transfer-clock.efficientnet-b0-transfer.accuracy`).

# %% [markdown]
# Un réglage n’est pas commun aux deux réseaux : la part du dernier lot dans les moyennes de la
# normalisation. Il n’entre pas dans l’apprentissage, qui normalise chaque lot par lui-même : les poids
# sont les mêmes, seules changent les moyennes dont l’évaluation se sert. Une exécution de chaque réseau
# avec la valeur de l’autre, faite après coup, le vérifie.

# %% tags=["nbval-check-output"]
for usual, changed in equal_start.controls().values():
    same = usual.history.train_loss.equals(changed.history.train_loss)
    values = [run.meta["recipe"]["norm_momentum"] or 0.1 for run in (usual, changed)]
    print(
        model_name(usual.meta["recipe"]["name"]),
        ": {} puis {}".format(*(f"{value:g}".replace(".", ",") for value in values)),
        "; mêmes pertes d’apprentissage, époque par époque :", "oui" if same else "non",
    )

# %% [markdown]
# {valeur}`efficientnet-b0-short-norm.changed` réponses de test sur {valeur}`data.test` changent pour
# EfficientNet-B0, {valeur}`mambavision-micro-short-norm.changed` pour MambaVision. L’écart entre les deux
# est de {valeur:ecart-ic}`gap.mambavision-micro-short.efficientnet-b0-short-norm.accuracy` si tous deux ont
# la valeur de MambaVision, de {valeur:ecart-ic}`gap.mambavision-micro-short-norm.efficientnet-b0-short.accuracy`
# si tous deux ont celle d’EfficientNet-B0 : {verdict}`equal_norm`. Le réseau modifié n’y a qu’une graine, l’autre a
# toutes les siennes : ces intervalles ignorent une part du hasard de l’entraînement. Et le contrôle porte sur la
# recette courte, non sur les préentraînements.

# %% [markdown]
# ## Des caractéristiques figées, pli par pli
#
# Le réglage fin mêle ce que le réseau savait et ce qu’il apprend ici. Une sonde linéaire ne garde que
# le premier : le réseau est figé, seule une régression logistique est apprise. Comme elle ne coûte
# presque rien, elle se répète sur tous les plis, et ses intervalles sont plus étroits.

# %% mystnb={"figure": {"name": "fig-egales-sondes", "caption": "Exactitude des sondes linéaires, pli par pli (traits), moyenne avec son intervalle corrigé à 95 % (losange), et exactitude sur les images de test publiées (croix)."}, "image": {"alt": "Une ligne par réseau figé : une rangée de traits pour les plis, un losange avec barre d’erreur pour leur moyenne, une croix pour les images de test publiées."}}
from vitrine.report.ledger.measures import fold_scores, has_folds
from vitrine.metrics.folds import corrected_interval

repeated = {}
for recipe in ranked:
    run = published(equal_start=True)[recipe][0]
    if has_folds(run):
        by_fold = fold_scores(run, accuracy)
        mean = corrected_interval(by_fold, test_over_train=splits.TEST_OVER_TRAIN)
        repeated[recipe] = (by_fold, mean, panels[recipe]["accuracy"].value)
comparison.folds(repeated, metric="Exactitude")

# %% [markdown]
# Sur les plis, EfficientNet-B0 figé obtient {valeur:ic}`efficientnet-b0-transfer-probe.cv_accuracy`,
# MambaVision {valeur:ic}`mambavision-micro-transfer-probe.cv_accuracy` à images égales et
# {valeur:ic}`mambavision-micro-transfer-clock-probe.cv_accuracy` à durée égale :
# {verdict}`equal_images_probed` ; {verdict}`equal_clock_probed`.
#
# Pour mémoire, la sonde du {doc}`chapitre de comparaison <05_comparaison>`, dont les caractéristiques
# viennent d’ImageNet entier à 224 pixels, obtient {valeur:ic}`mobilenetv2-int8-probe.cv_accuracy` sur
# les mêmes plis : l’écart est grand, mais mêle le corpus, la durée, la résolution et l’architecture.

# %% [markdown]
# ## Les mêmes poids, deux bibliothèques
#
# Les poids d’EfficientNet-B0 passent de PyTorch à TensorFlow, couche par couche, et les deux réseaux
# donnent les mêmes réponses à un dix-millième près (un test le vérifie sur de vraies photos). La
# question des bibliothèques peut donc être posée proprement : mêmes poids de départ, mêmes photos,
# même recette. Réponse : {verdict}`equal_weights`
# ({valeur:ecart-ic}`gap.efficientnet-b0-keras-transfer.efficientnet-b0-transfer.accuracy`).

# %% [markdown]
# ## Le balayage compte-t-il ?
#
# MambaVision se réclame de son balayage. Les auteurs de MambaOut en doutent {cite:p}`yu2024mambaout` : un espace d’état
# sert aux suites longues, ou lues dans l’ordre, et classer une image n’est ni l’un ni l’autre. Ils le retirent, gardent
# les convolutions, et dépassent sur ImageNet les réseaux qui l’ont. Nous posons la question à notre échelle.
#
# Dans les blocs de MambaVision micro qui balayent, quatre mélangeurs de même largeur se remplacent : le balayage, rien
# (l’identité), une convolution, l’attention. Les blocs d’attention qui suivent restent. Tous les réseaux partent de zéro,
# par la recette que {doc}`le protocole <../book/protocole>` annonce. Chaque photo est jugée par un réseau qui ne l’a pas
# apprise.
#
# L’expérience est prête, non exécutée : `vitrine sweep` entraîne les quatre recettes `mambavision-micro-mixer-*` sur les
# plis, et le registre en tire les trois écarts. D’ici là, {verdict}`scan_against_conv`.

# %% [markdown]
# ## Ce que nous retenons
#
# * Sur le préentraînement lui-même : {verdict}`equal_images_learned` ; {verdict}`equal_clock_learned`.
# * Sur ce qu’il apporte : {verdict}`pretraining_helps_b0` ; {verdict}`pretraining_helps_micro`.
# * Sur l’architecture, à départ égal : {verdict}`equal_images` ; {verdict}`equal_clock`.
# * Sur les caractéristiques figées : {verdict}`equal_images_probed` ; {verdict}`equal_clock_probed`.
# * Sur la bibliothèque : {verdict}`equal_weights`.
# * Sur le balayage : {verdict}`scan_against_conv`.
#
# ## Ce qui pourrait être faux
#
# * **L’échelle.** Quelques passages sur de petites images ne disent rien d’un préentraînement entier.
#   Un réseau qui démarre lentement peut finir devant : étendre ces courbes serait une extrapolation,
#   et nous ne la faisons pas.
# * **La recette.** Elle est commune, donc réglée pour aucun des deux réseaux. Un taux d’apprentissage
#   propre à chacun changerait peut-être l’écart.
# * **Une seule graine de préentraînement.** Les graines sont celles du réglage fin ; elles partent
#   toutes des mêmes poids. L’intervalle ignore donc le hasard du préentraînement.
# * **La machine.** À durée égale, le gagnant dépend de ce que la machine calcule vite : sur une carte
#   graphique, le rapport des vitesses serait autre.
# * **Le corpus.** Des objets photographiés n’importe où ressemblent peu à des produits sur fond blanc.
#
# ```{provenance}
# ```
