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
# # À armes égales : mêmes images, même budget
#
# **Que reste-t-il de l’écart entre deux architectures quand elles partent des mêmes images, avec le même budget ?** Après
# préentraînement et fine-tuning, MambaVision micro moins EfficientNet-B0 vaut
# {valeur:ecart-ic}`gap.mambavision-micro-transfer.efficientnet-b0-transfer.accuracy` à images égales et
# {valeur:ecart-ic}`gap.mambavision-micro-transfer-clock.efficientnet-b0-transfer.accuracy` à durée comparable. En dix
# minutes, vous saurez comparer deux réseaux à départ égal, et si le balayage de MambaVision y est pour quelque chose.
#
# Les comparaisons publiées mêlent l’architecture et ce qu’elle a déjà vu. Ici, les deux réseaux, de même taille, apprennent
# d’abord les mêmes petites images, par la même recette, sur un cœur.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Le corpus et les deux protocoles
#
# Le corpus est un sous-ensemble de Tiny ImageNet {cite:p}`le2015tiny` : des images de 64 pixels de côté, deux cents
# classes, une validation que personne n’apprend. `vitrine pretrain` le lit, ou le télécharge.
#
# La recette est la même pour tous, à une valeur près : la part du dernier lot dans les moyennes de la normalisation
# ({doc}`le protocole en détail <../book/protocole_detail>` dit pourquoi). Deux protocoles ont été fixés avant la première exécution :
#
# * **à images égales** : chaque réseau voit les mêmes images, le même nombre de fois ;
# * **à durée égale** : chaque réseau apprend pendant le même temps, sur un cœur. EfficientNet-B0, le plus lent, fixe la
#   durée : son unique préentraînement sert aux deux protocoles.

# %%
from vitrine.report.fr import number
from vitrine.report.ledger import equal_start
from vitrine.report.ledger.measures import published
from vitrine.report.names import gap_names, model_name
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
    print(f"{model_name(recipe)} : {number(data['train'])} images, {data['classes']} classes")

# %% [markdown]
# ## Apprendre d’abord autre chose
#
# Chaque préentraînement est jugé sur la validation du corpus, par les poids gardés à la fin : rien n’a été choisi sur ces
# images. Répondre au hasard, parmi deux cents classes, donne une réponse juste sur deux cents.

# %%
from vitrine.report import tables

named = {model_name(recipe): run for recipe, run in pretrained.items()}
scores = {
    name: [equal_start.first_guesses(run, count) for count in (1, 5)] for name, run in named.items()
}
tables.show(tables.pretrainings(named, scores))

# %% [markdown]
# À images égales, les deux architectures n’apprennent pas autant ; à durée égale, elles n’en voient pas autant.

# %% mystnb={"figure": {"name": "fig-egales-preentrainement", "caption": "Exactitude sur la validation du corpus de préentraînement, selon le nombre d’images vues (en haut) et selon la durée sur un cœur (en bas)."}, "image": {"alt": "Deux panneaux et trois courbes dans chacun, une par préentraînement : l’exactitude monte avec le nombre d’images vues, en haut, et avec les minutes d’entraînement, en bas."}}
from vitrine.report.figures import training

training.pretrainings({recipe: run.history for recipe, run in pretrained.items()})

# %% [markdown]
# À images égales, EfficientNet-B0 finit à {valeur:ic}`efficientnet-b0-pretrain.top1` de top-1 et MambaVision à
# {valeur:ic}`mambavision-micro-pretrain.top1` : {verdict}`equal_images_learned`. Au milieu des passages, EfficientNet-B0
# n’en était qu’à {valeur}`efficientnet-b0-pretrain.top1_halfway`, près du hasard, et MambaVision à
# {valeur}`mambavision-micro-pretrain.top1_halfway` : un autre taux pourrait changer l’ordre. Sur ce cœur, l’une apprend
# {valeur}`efficientnet-b0-pretrain.speed` et l’autre {valeur}`mambavision-micro-pretrain.speed` ; à durée égale, MambaVision
# atteint {valeur:ic}`mambavision-micro-pretrain-clock.top1`.
#
# Cette durée désavantage MambaVision : fixée trop courte, sur une machine occupée, elle a laissé à EfficientNet-B0
# {valeur}`efficientnet-b0-pretrain.minutes` ({valeur}`efficientnet-b0-pretrain.processor_minutes` de processeur), et à
# MambaVision {valeur}`mambavision-micro-pretrain-clock.minutes`
# ({valeur}`mambavision-micro-pretrain-clock.processor_minutes`). L’attente des données est négligeable.

# %% [markdown]
# ## Ce que le préentraînement apporte à nos photos
#
# Les poids appris à 64 pixels passent à 128, et chaque réseau apprend nos photos pendant
# {valeur}`efficientnet-b0-transfer.epochs` époques ; en face, le même part de zéro, en autant d’époques. Pour mémoire,
# {valeur}`efficientnet-b0-torch-scratch.epochs` époques de zéro donnent
# {valeur:ic}`efficientnet-b0-torch-scratch.accuracy` pour EfficientNet-B0 et
# {valeur:ic}`mambavision-micro-scratch.accuracy` pour MambaVision.
#
# Chaque recette a {valeur}`efficientnet-b0-transfer.seeds` graines, qui partent des mêmes poids préentraînés : aucun
# intervalle ne couvre le hasard de ce préentraînement.

# %%
tests = {name: [run.part("test") for run in runs] for name, runs in groups.items()}
answers = {name: [p.probabilities for p in parts] for name, parts in tests.items()}
parts = [part for runs in tests.values() for part in runs]
images, truth = parts[0].image, parts[0].truth

# %% tags=["nbval-check-output", "remove-cell"]
same = all((part.image == images).all() for part in parts)
print("Mêmes images de test, dans le même ordre, pour tous :", "oui" if same else "non")

# %% [markdown]
# Tous répondent pour les mêmes images de test, dans le même ordre. Une étoile signale un premier, s’il y en a un.

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

# %% mystnb={"figure": {"name": "fig-egales-transfert", "caption": "Exactitude sur nos images de test, intervalles à 95 % : de zéro en vingt époques, par fine-tuning après chaque préentraînement, et par une sonde linéaire sur les caractéristiques figées."}, "image": {"alt": "Pour chaque façon de partir, un point et sa barre d’erreur horizontale pour l’exactitude, de la meilleure façon en haut à la moins bonne en bas."}}
from vitrine.report.figures import comparison

comparison.forest(
    {"Exactitude": {recipe: panels[recipe]["accuracy"] for recipe in ranked}}, x="Exactitude"
)

# %% [markdown]
# Les écarts annoncés suivent la règle du {doc}`protocole <../book/protocole>` ; la correction de Holm porte sur ce tableau.

# %%
from vitrine.metrics.table import announced

compared = announced(truth, answers, equal_start.COMPARISONS, (accuracy, macro_f1))
names = gap_names(compared)
tables.show(tables.announced({names[pair]: found for pair, found in compared.items()}))

# %% mystnb={"figure": {"name": "fig-egales-ecarts", "caption": "Écarts d’exactitude annoncés, intervalles à 95 % appariés. Bande grise : vrais écarts que notre règle manquerait plus d’une fois sur cinq ; elle dit la puissance, et ne juge aucun écart mesuré."}, "image": {"alt": "Une ligne par comparaison annoncée : un losange pour l’écart d’exactitude et sa barre d’erreur, autour d’un trait vertical à zéro entouré d’une bande grise."}}
from vitrine.data import splits
from vitrine.metrics.settling import smallest_settled_gap
from vitrine.report.ledger import context

comparison.announced_gaps(
    {pair: found.gaps["accuracy"] for pair, found in compared.items()},
    metric="Écart d’exactitude (points)",
    smallest=smallest_settled_gap(context.on_split(len(splits.load().part("test")))),
)

# %% [markdown]
# * **Sans préentraînement** : {verdict}`equal_short`
#   ({valeur:ecart-ic}`gap.mambavision-micro-short.efficientnet-b0-short.accuracy`).
# * **Le préentraînement** ajoute {valeur:ecart-ic}`gap.efficientnet-b0-transfer.efficientnet-b0-short.accuracy` à
#   EfficientNet-B0 et {valeur:ecart-ic}`gap.mambavision-micro-transfer.mambavision-micro-short.accuracy` à MambaVision :
#   {verdict}`pretraining_helps_b0` ; {verdict}`pretraining_helps_micro`.
# * **À départ égal**, {verdict}`equal_images`
#   ({valeur:ecart-ic}`gap.mambavision-micro-transfer.efficientnet-b0-transfer.accuracy`) ; à durée comparable, l’écart est de
#   {valeur:ecart-ic}`gap.mambavision-micro-transfer-clock.efficientnet-b0-transfer.accuracy`.

# %% [markdown]
# La part du dernier lot dans les moyennes de la normalisation n’est pas commune aux deux réseaux. Elle n’entre pas dans
# l’apprentissage, qui normalise chaque lot par lui-même : avec la valeur de l’autre, un réseau apprend les mêmes poids, et
# seules changent les moyennes dont l’évaluation se sert ; un contrôle le vérifie à chaque exécution.

# %% tags=["nbval-check-output", "remove-cell"]
for usual, changed in equal_start.controls().values():
    same = usual.history.train_loss.equals(changed.history.train_loss)
    values = [run.meta["recipe"]["norm_momentum"] or 0.1 for run in (usual, changed)]
    print(
        model_name(usual.meta["recipe"]["name"]),
        ": {} puis {}".format(*(f"{value:g}".replace(".", ",") for value in values)),
        "; mêmes pertes d’apprentissage, époque par époque :",
        "oui" if same else "non",
    )

# %% [markdown]
# {valeur}`efficientnet-b0-short-norm.changed` réponses de test sur {valeur}`data.test` changent pour EfficientNet-B0,
# {valeur}`mambavision-micro-short-norm.changed` pour MambaVision. L’écart des deux est de
# {valeur:ecart-ic}`gap.mambavision-micro-short.efficientnet-b0-short-norm.accuracy` avec la valeur de MambaVision, de
# {valeur:ecart-ic}`gap.mambavision-micro-short-norm.efficientnet-b0-short.accuracy` avec l’autre : {verdict}`equal_norm`.
# Ce contrôle, fait après coup, n’a qu’une graine et porte sur la recette courte.

# %% [markdown]
# ## Des caractéristiques figées, pli par pli
#
# Le fine-tuning mêle ce que le réseau savait et ce qu’il apprend ici. Une sonde linéaire ne garde que le premier ; elle coûte
# si peu qu’elle se répète sur tous les plis, et ses intervalles sont plus étroits.

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
# Sur les plis, EfficientNet-B0 figé obtient {valeur:ic}`efficientnet-b0-transfer-probe.cv_accuracy`, MambaVision
# {valeur:ic}`mambavision-micro-transfer-probe.cv_accuracy` : {verdict}`equal_images_probed`. À durée comparable, elle obtient
# {valeur:ic}`mambavision-micro-transfer-clock-probe.cv_accuracy`, soit
# {valeur:ecart-ic}`gap.mambavision-micro-transfer-clock-probe.efficientnet-b0-transfer-probe.cv_accuracy`. La sonde de
# {doc}`la comparaison <05_comparaison>`, apprise d’ImageNet entier à 224 pixels, obtient
# {valeur:ic}`mobilenetv2-int8-probe.cv_accuracy` sur les mêmes plis.

# %% [markdown]
# ## Les mêmes poids, deux bibliothèques
#
# Les poids d’EfficientNet-B0 passent de PyTorch à TensorFlow, couche par couche, avec les mêmes réponses à un dix-millième
# près. Mêmes poids de départ, mêmes photos, même recette : {verdict}`equal_weights`
# ({valeur:ecart-ic}`gap.efficientnet-b0-keras-transfer.efficientnet-b0-transfer.accuracy`).

# %% [markdown]
# ## La candidate, avec un maître
#
# Les poids publiés de MambaVision ne se téléchargent pas ici. Le meilleur départ à notre portée est la *distillation*
# {cite:p}`beyer2021knowledge` : EfficientNet-Lite0, appris d’ImageNet, sert de maître, et MambaVision micro apprend à donner
# ses réponses, sur les mêmes recadrages des mêmes images. Le maître a {valeur:ic}`mambavision-micro-distilled.teacher_top1`
# de top-1 sur la validation du corpus. En {valeur}`mambavision-micro-distilled.epochs` époques, soit
# {valeur}`mambavision-micro-distilled.minutes` sur un cœur, l’élève passe de {valeur:ic}`mambavision-micro-pretrain.top1`,
# son score sans maître, à {valeur:ic}`mambavision-micro-distilled.top1`.
#
# Figé, il range bien {valeur:ic}`oof.mambavision-micro-distilled-probe.accuracy` de nos photos
# ({valeur:ic}`oof.mambavision-micro-transfer-probe.accuracy` sans maître) : {verdict}`distillation_against_imagenet`
# ({valeur:ecart-ic}`oof_gap.mambavision-micro-distilled-probe.efficientnet-lite0-probe.accuracy`). Après fine-tuning, il en
# range bien {valeur:ic}`oof.mambavision-micro-distilled-transfer.accuracy` : {verdict}`candidate_against_baseline`
# ({valeur:ecart-ic}`oof_gap.mambavision-micro-distilled-transfer.efficientnet-lite0-torch.accuracy`). La comparaison n’est pas
# à départ égal : le maître a vu bien plus d’images, plus grandes, et l’élève ne le connaît que par ses réponses. L’élève
# EfficientNet-B0, que la même commande entraîne, n’est pas encore mesuré : rien n’est dit ici d’une architecture contre
# l’autre.

# %% [markdown]
# ## Le balayage compte-t-il ?
#
# Les auteurs de MambaOut en doutent {cite:p}`yu2024mambaout` : un espace d’état sert aux suites longues, ou lues dans
# l’ordre, et classer une image n’est ni l’un ni l’autre. Ils le retirent, gardent les convolutions, et dépassent sur
# ImageNet les réseaux qui l’ont. Nous posons la question à notre échelle.
#
# Dans les blocs de MambaVision micro qui balayent, quatre mélangeurs de même largeur se remplacent : le balayage, rien
# (l’identité), une convolution, l’attention. Les blocs d’attention qui suivent restent. Tous partent de zéro, par la recette
# que {doc}`le protocole en détail <../book/protocole_detail>` annonce, et chaque photo est jugée par un réseau qui ne l’a pas apprise.

# %% mystnb={"figure": {"name": "fig-egales-melangeurs", "caption": "Exactitude de MambaVision micro sur toutes les photos selon ce qui tient la place du balayage, intervalles à 95 %, et nombre de paramètres."}, "image": {"alt": "Une ligne par mélangeur, balayage, identité, convolution puis attention : un point pour l’exactitude et sa barre d’erreur horizontale, le nombre de paramètres sous le nom."}}
from vitrine.metrics.table import recipe_score
from vitrine.report.ledger import mixers

arms, mixed, sizes = mixers.arms(), {}, {}
mixer_answers = {arm: [one.answers.probabilities for one in group] for arm, group in arms.items()}
for arm, group in arms.items():
    all_truth = group[0].answers.truth
    mixed[arm] = recipe_score(all_truth, mixer_answers[arm], accuracy)
    millions = number(group[0].runs[0].meta["parameters"] / 1e6, 2)
    sizes[arm] = f"{millions} M de paramètres"
comparison.forest({"Exactitude": mixed}, x="Exactitude", beside=sizes)

# %% [markdown]
# Le tableau oppose le balayage à chacun des trois autres ; un écart positif est en sa faveur.

# %%
made = mixers.COMPARISONS if arms else ()
mixer_gaps = announced(all_truth, mixer_answers, made, (accuracy, macro_f1)) if made else {}
names = gap_names(mixer_gaps)
tables.show(tables.announced({names[pair]: found for pair, found in mixer_gaps.items()}))

# %% [markdown]
# À cette échelle, {verdict}`scan_stands_out`. Le balayage n’est pas gratuit : comme l’attention dans des fenêtres de côté fixe, son coût croît en proportion du nombre de
# pixels, et {doc}`le chapitre sur MambaVision <01_mambavision>` mesure ce qu’il coûte ici, à chaque longueur. Une graine,
# une petite taille, une recette brève : ces intervalles ignorent le hasard de l’entraînement, et rien ne s’étend aux réseaux
# publiés, appris sur ImageNet.

# %% [markdown]
# ## Un maître sur nos photos mêmes
#
# Une dernière piste se passe de corpus. Partie de zéro, MambaVision micro apprend, au lieu des étiquettes, ce
# qu’EfficientNet-Lite0, après fine-tuning, répond pour les mêmes pixels. Rien d’autre ne change : le même réseau, les mêmes passes
# que pour les mélangeurs, les mêmes plis ; le maître d’un pli n’a pas appris les photos qu’on y juge. L’élève range bien
# {valeur:ic}`oof.mambavision-micro-taught.accuracy` des photos, contre {valeur:ic}`oof.mambavision-micro-mixer-scan.accuracy`
# avec les étiquettes : {verdict}`teacher_against_labels`
# ({valeur:ecart-ic}`oof_gap.mambavision-micro-taught.mambavision-micro-mixer-scan.accuracy`).

# %% [markdown]
# ## Exercices
#
# **1. À quel prix ?** Rapportez la top-1 de chaque préentraînement à ses minutes de calcul. Qui en tire le plus par minute, et
# pourquoi ce rapport ne désigne-t-il pas le meilleur réseau ?

# %% tags=["hide-cell"]
for recipe, run in pretrained.items():
    top1 = equal_start.first_guesses(run, 1).value
    minutes = run.meta["timing"]["training_seconds"] / 60
    print(f"{model_name(recipe)} : {number(100 * top1 / minutes, 2)} point par minute")

# %% [markdown]
# **2. Un départ sans l’autre.** Sur les images qu’EfficientNet-B0 manque de zéro (première graine), quelle part le
# préentraînement lui fait-il retrouver ? Et combien en perd-il parmi celles qu’il avait ?

# %% tags=["hide-cell"]
before, after = (
    answers[f"efficientnet-b0-{way}"][0].argmax(1) == truth for way in ("short", "transfer")
)
print(f"retrouvées : {number((after & ~before).sum())} sur {number((~before).sum())}")
print(f"perdues : {number((before & ~after).sum())} sur {number(before.sum())}")

# %% [markdown]
# ## Ce que nous retenons
#
# * En {valeur}`efficientnet-b0-transfer.epochs` époques, le préentraînement ajoute
#   {valeur:ecart-ic}`gap.efficientnet-b0-transfer.efficientnet-b0-short.accuracy` à EfficientNet-B0 et
#   {valeur:ecart-ic}`gap.mambavision-micro-transfer.mambavision-micro-short.accuracy` à MambaVision. Après lui,
#   {verdict}`equal_images` ({valeur:ecart-ic}`gap.mambavision-micro-transfer.efficientnet-b0-transfer.accuracy`).
# * Les caractéristiques figées, à images égales, donnent à MambaVision
#   {valeur:ecart-ic}`gap.mambavision-micro-transfer-probe.efficientnet-b0-transfer-probe.cv_accuracy`.
# * Le balayage moins l’identité :
#   {valeur:ecart-ic}`oof_gap.mambavision-micro-mixer-scan.mambavision-micro-mixer-identity.accuracy` ; moins une
#   convolution : {valeur:ecart-ic}`oof_gap.mambavision-micro-mixer-scan.mambavision-micro-mixer-conv.accuracy`.
# * Sur la bibliothèque, à partir des mêmes poids :
#   {valeur:ecart-ic}`gap.efficientnet-b0-keras-transfer.efficientnet-b0-transfer.accuracy`.
#
# ## Ce qui pourrait être faux
#
# * **L’échelle.** Quelques passages sur de petites images ne disent rien d’un préentraînement entier : un réseau qui démarre
#   lentement peut finir devant.
# * **La recette.** Commune, elle n’est réglée pour aucun des deux réseaux.
# * **Une seule graine de préentraînement.** Les graines sont celles du fine-tuning.
# * **La machine.** À durée égale, le gagnant dépend de ce que la machine calcule vite : sur une carte graphique, le rapport
#   des vitesses serait autre.
# * **Le corpus.** Des objets photographiés n’importe où ressemblent peu à des produits sur fond blanc.
#
# ```{provenance}
# ```
