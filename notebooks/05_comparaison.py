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
# **Que permettent d’affirmer les mêmes photos, quand tous les modèles y répondent ?** Sur le découpage publié, la
# sonde préentraînée devance le réseau entraîné de zéro de
# {valeur:ecart-ic}`gap.mobilenetv2-int8-probe.efficientnet-b0-keras-scratch.accuracy`, et MambaVision micro est à
# {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy` d’EfficientNet-B0, à
# recette égale. En sept minutes, vous saurez lire un écart apparié, ce que coûte une erreur, et ce que chaque modèle
# coûte.
#
# {doc}`Le chapitre précédent <05_toutes_les_photos>` juge les modèles sur toutes les photos ; celui-ci porte sur
# les {valeur}`data.test` images où d’autres ont publié leurs scores. Rien n’y est entraîné : tout se déduit des
# réponses enregistrées, image par image. {doc}`La comparaison en détail <05_comparaison_detail>` regarde sous les
# moyennes : catégories, doubles, photos abîmées, images que tous manquent.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Qui répond, et à quoi
#
# Une recette entraînée plusieurs fois reste une seule ligne. Des EfficientNet-Lite, seule la recommandée est ici. La
# *sonde* est une régression logistique sur les caractéristiques d’un MobileNetV2 préentraîné, puis gelé
# {cite:p}`sandler2018mobilenetv2,kornblith2018better`.

# %%
import numpy as np

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.report.ledger import pairs
from vitrine.report.ledger.measures import published
from vitrine.report.names import gap_names, model_name
from vitrine.report.recommended import RECOMMENDED
from vitrine.training.session import begin

session = begin(profile)
groups = {
    recipe: [session.answers(recipe, run.meta["seed"]) for run in runs]
    for recipe, runs in published().items()
    if recipe == RECOMMENDED or not recipe.startswith("efficientnet-lite")
}

# %% [markdown]
# Les catégories, dans l’ordre de leurs numéros, et les écarts que {doc}`le protocole <../book/protocole>` annonce.

# %% tags=["nbval-check-output"]
print(*CLASSES_FR.values(), sep=", ")
print(*gap_names(pairs.COMPARISONS).values(), sep="\n")

# %%
tests = {name: [run.part("test") for run in runs] for name, runs in groups.items()}
answers = {name: [p.probabilities for p in parts] for name, parts in tests.items()}
images, truth = tests["majority"][0].image, tests["majority"][0].truth

# %% tags=["nbval-check-output", "remove-cell"]
parts = [part for runs in tests.values() for part in runs]
same = all((part.image == images).all() for part in parts)
print("Mêmes images, dans le même ordre, pour tous :", "oui" if same else "non")

# %% [markdown]
# ## Les scores
#
# Chaque intervalle à 95 % couvre le tirage des images et, là où il y a plusieurs graines, celui des graines
# {cite:p}`efron1993bootstrap,wilson1927probable`. Une étoile signale un premier, quand ses écarts avec tous les
# autres excluent zéro ensemble.

# %%
from vitrine.metrics.metrics import accuracy, log_loss, macro_f1
from vitrine.metrics.table import leader, recipe_panel
from vitrine.report import tables

panels = {recipe: recipe_panel(truth, runs) for recipe, runs in answers.items()}
ranked = sorted(panels, key=lambda recipe: -panels[recipe]["accuracy"].value)
named = {model_name(recipe): panels[recipe] for recipe in ranked}
runs = {model_name(recipe): answers[recipe] for recipe in ranked}
seeds = {name: len(said) for name, said in runs.items()}
leaders = {m.name: leader(truth, runs, m) for m in (accuracy, macro_f1, log_loss)}
tables.show(tables.comparison(named, seeds=seeds, leaders=leaders))

# %% [markdown]
# La réponse constante sert de plancher : {verdict}`all_learn`. La perte logarithmique, elle, est d’autant
# meilleure qu’elle est basse. Là où il n’y a qu’une graine, l’intervalle ignore ce qu’un autre entraînement aurait
# donné. MambaVision (nano), entraînée {valeur}`mambavision-nano-scratch.epochs` époques, n’est d’aucune comparaison
# annoncée.

# %% mystnb={"figure": {"name": "fig-comparaison-scores", "caption": "Exactitude de chaque modèle sur les images de test : moyenne et intervalle à 95 % (losange), et chaque graine là où il y en a plusieurs (cercles)."}, "image": {"alt": "Une ligne par modèle, du plus exact à la réponse constante : un losange avec sa barre d’erreur horizontale, et au-dessous un cercle par graine."}}
from vitrine.report.figures import comparison, training

by_seed = {name: [accuracy(truth, p) for p in answers[name]] for name in ranked}
training.seeds(
    {
        name: (scores if len(scores) > 1 else [], panels[name]["accuracy"])
        for name, scores in by_seed.items()
    },
    metric="Exactitude",
)

# %% [markdown]
# Réentraîner déplace aussi un score, moins que d’autres photos de test : la {numref}`fig-comparaison-scores` montre les
# deux hasards {cite:p}`bouthillier2021accounting`.
#
# ## Les écarts annoncés
#
# Comparés *sur les mêmes images*, deux modèles voient s’annuler ce qu’elles ont de difficile. Le bootstrap apparié
# donne l’intervalle. Le test permute les signes des différences, image par image ; avec une graine de chaque côté,
# c’est celui de McNemar {cite:p}`mcnemar1947note`, qui ne regarde que les paires discordantes : *b* images que seul
# le premier modèle classe bien, *c* que seul le second (première graine). Les valeurs p sont corrigées ensemble
# {cite:p}`holm1979simple`.

# %%
from vitrine.metrics.table import announced

family = pairs.on_split(ranked)[0]
compared = announced(truth, answers, family, (accuracy, macro_f1))
names = gap_names(compared)
tables.show(tables.announced({names[pair]: found for pair, found in compared.items()}))

# %% [markdown]
# Un écart est établi si son intervalle exclut zéro *et* si sa valeur p corrigée passe sous le seuil. Sinon, aucune
# différence n’est détectable, ce qui ne veut pas dire que les modèles se valent : de vrais écarts de moins de
# {valeur}`power.smallest_gap`, la bande grise, échapperaient à cette règle plus d’une fois sur cinq
# {cite:p}`card2020power,connor1987sample`.

# %% mystnb={"figure": {"name": "fig-comparaison-ecarts", "caption": "Écarts d’exactitude annoncés, intervalles à 95 % appariés. Bande grise : vrais écarts que notre règle manquerait plus d’une fois sur cinq ; elle dit la puissance, et ne juge aucun écart mesuré."}, "image": {"alt": "Une ligne par comparaison annoncée : un losange pour l’écart d’exactitude et sa barre d’erreur, autour d’un trait vertical à zéro entouré d’une bande grise."}}
from vitrine.data import splits
from vitrine.metrics.settling import smallest_settled_gap
from vitrine.report.ledger import context

ours = len(splits.load().part("test"))
comparison.announced_gaps(
    {pair: found.gaps["accuracy"] for pair, found in compared.items()},
    metric="Écart d’exactitude (points)",
    smallest=smallest_settled_gap(context.on_split(ours)),
)

# %% [markdown]
# * Préentraînement : {verdict}`probe_beats_scratch`, et {verdict}`probe_beats_classical`
#   ({valeur:ecart-ic}`gap.mobilenetv2-int8-probe.histogram-hog.cv_accuracy` sur des plis répétés
#   {cite:p}`nadeau2003inference,bouckaert2004evaluating`).
# * Fine-tuning : {verdict}`fine_tuned_beats_scratch`
#   ({valeur:ecart-ic}`gap.efficientnet-lite0-torch.efficientnet-b0-torch-scratch.accuracy`).
# * De zéro : {verdict}`scratch_against_classical`
#   ({valeur:ecart-ic}`gap.efficientnet-b0-keras-scratch.histogram-hog.accuracy`).

# %% [markdown]
# ## Ce que coûtent les erreurs
#
# Nous posons, **par hypothèse**, qu’une erreur ordinaire coûte 1, qu’une confusion entre linge de maison et
# décoration, rayons voisins, coûte moitié moins, et qu’un article de puériculture mal rangé coûte plus : le curseur
# de la figure dit combien. Ces valeurs sont à remplacer par celles du métier.

# %%
ordinary = 1.0 - np.eye(len(CLASSES))
neighbours = ("Home Decor & Festive Needs", "Home Furnishing")
decor, furnishing = (CLASSES.index(name) for name in neighbours)
ordinary[[decor, furnishing], [furnishing, decor]] = 0.5
is_baby = np.arange(len(CLASSES))[:, None] == CLASSES.index("Baby Care")
matrices = {times: ordinary * np.where(is_baby, times, 1) for times in (1, 2, 4)}

# %% [markdown]
# Pour chaque photo, la décision est celle dont le coût attendu est le plus faible, d’après les probabilités du modèle
# {cite:p}`elkan2001foundations` ; « demander à une personne » en fait partie, à un prix que nous faisons varier.

# %%
from vitrine.metrics.decision import cheapest, expected_cost

SHOWN = (
    RECOMMENDED, "mobilenetv2-int8-probe", "efficientnet-b0-torch-scratch",
    "mambavision-micro-scratch",
)  # fmt: skip
prices, person = np.linspace(0, 1, 11), np.ones(len(CLASSES))
first = {recipe: answers[recipe][0] for recipe in SHOWN}
costs = {}
for times, matrix in matrices.items():
    tariffs = [np.column_stack([matrix, price * person]) for price in prices]
    costs[f"×{times}"] = {
        recipe: [expected_cost(truth, cheapest(said, t), t) for t in tariffs]
        for recipe, said in first.items()
    }

# %% mystnb={"figure": {"name": "fig-comparaison-couts", "caption": "Coût moyen par photo selon le prix d’un regard humain, une erreur ordinaire valant 1, pour la matrice de coûts supposée. Le curseur change ce que coûte un article de puériculture mal rangé. En tirets : tout confier à une personne."}, "image": {"alt": "Quatre courbes de coût, qui montent puis s’aplatissent quand le prix d’un regard humain augmente ; une droite en tirets marque le coût de tout confier à une personne."}}
from vitrine.report.figures import decisions

decisions.expected_costs(prices, costs, about="Puériculture mal rangée", first="×2")

# %% [markdown]
# Là où une courbe touche la droite en tirets, autant tout confier à une personne. Là où elle passe au-dessus, des
# probabilités trop sûres ont trompé la décision.
#
# ## Le score et son prix
#
# Pour une sonde, seuls les paramètres de la tête sont appris ; le préentraînement n’est compté pour aucun modèle. L’énergie,
# **estimée** d’après le temps de calcul {cite:p}`lannelongue2021green`, est au pied de la page.

# %%
import pandas as pd

from vitrine.bench import results
from vitrine.report.tables import speeds

costly = speeds.costs({r: published()[r][0] for r in ranked}, {"recipes": results.read("recipes")})
reached = pd.DataFrame([vars(panels[recipe]["accuracy"]) for recipe in ranked])

# %% mystnb={"figure": {"name": "fig-comparaison-prix", "caption": "Exactitude selon quatre coûts, échelles logarithmiques, intervalles à 95 %. En pointillés, le front de Pareto : les modèles qu’aucun autre ne bat à la fois sur le coût et sur l’exactitude. Point absent : non mesuré."}, "image": {"alt": "Quatre nuages de points, deux par ligne, un point par modèle avec sa barre d’erreur : l’exactitude selon les paramètres appris, la durée d’un entraînement, les opérations par photo et le temps d’une réponse ; un escalier en pointillés relie les modèles que rien ne domine."}}
decisions.efficiency(
    costly.join(reached),
    {
        "parameters": "Paramètres appris",
        "minutes": "Entraînement (min)",
        "multiply_adds": "Opérations par photo",
        "core": "Réponse (ms)",
    },
)

# %% [markdown]
# Le front de la {numref}`fig-comparaison-prix` tient compte des scores, non de leurs intervalles ; les durées, relevées
# sur des machines partagées, donnent un ordre de grandeur.

# %% [markdown]
# ## Ce que d’autres ont publié sur ces images
#
# Une preuve de concept antérieure {cite:p}`hedredo2025oc` a fait le fine-tuning de réseaux préentraînés sur le même
# découpage, dont trois MambaVision {cite:p}`hatamizadeh2024mambavision`, un Swin {cite:p}`liu2021swin`, un MobileViT
# {cite:p}`mehta2022separable` et EfficientNet-B0 {cite:p}`tan2019efficientnet`. Ces résultats sont **cités** : une
# exécution chacun, sans intervalle ni réponses image par image. Comparer deux exactitudes ainsi publiées demande un
# vrai écart d’environ {valeur}`power.smallest_unpaired_gap`, la largeur de la bande grise de chaque côté
# d’EfficientNet-B0.

# %% mystnb={"figure": {"name": "fig-comparaison-cites", "caption": "Exactitudes publiées par la preuve de concept antérieure, une exécution par point. Bande grise : autour d’EfficientNet-B0, vrais écarts qu’un test sans les réponses image par image manquerait plus d’une fois sur cinq."}, "image": {"alt": "Une ligne par architecture : un cercle vide pour le réseau gelé, un cercle plein pour le fine-tuning, reliés par un trait ; une bande grise entoure le résultat d’EfficientNet-B0."}}
from vitrine import paths
from vitrine.metrics.power import smallest_unpaired_gap

poc = pd.read_csv(paths.root() / "ressources" / "prior_poc.csv")
smallest = smallest_unpaired_gap(images=ours, accuracy=context.POC_ACCURACY)
comparison.cited(poc, reference="EfficientNetB0_custom", smallest=smallest)

# %% [markdown]
# MambaVision-T y devance EfficientNet-B0 de {valeur:ecart}`poc_gap.mambavision-t.accuracy`, soit
# {valeur}`poc_gap.mambavision-t.photos` photos sur {valeur}`data.test`. Sans les réponses image par image,
# les comptes bornent tout de même le test de McNemar : au mieux, la valeur p serait de
# {valeur}`poc_gap.mambavision-t.p_bound` pour T, de {valeur}`poc_gap.mambavision-s.p_bound` pour S et de
# {valeur}`poc_gap.mambavision-b.p_bound` pour B, soit {valeur}`poc_gap.mambavision-b.holm_bound` une fois corrigée.
# Bref, {verdict}`poc_below_power`. {doc}`Le détail <05_comparaison_detail>` compare leur sonde à la nôtre.

# %% [markdown]
# ## Exercices
#
# **1. Votre matrice de coûts.** Une montre mal rangée coûte trois erreurs ordinaires, un regard humain un cinquième
# d’erreur. Quel modèle coûte le moins par photo ?

# %% tags=["hide-cell"]
is_watch = np.arange(len(CLASSES))[:, None] == CLASSES.index("Watches")
tariff = np.column_stack([ordinary * np.where(is_watch, 3, 1), 0.2 * person])
for recipe, given in first.items():
    cost = expected_cost(truth, cheapest(given, tariff), tariff)
    print(f"{model_name(recipe)} : {tables.number(cost, 2)} erreur par photo")

# %% [markdown]
# **2. Et si une personne choisissait entre deux propositions ?** Comparez les quatre mêmes modèles sur l’exactitude
# top-2, puis sur la qualité de leurs probabilités {cite:p}`guo2017calibration`. L’ordre change-t-il ?

# %% tags=["hide-cell"]
tables.show(tables.scores({model_name(recipe): panels[recipe] for recipe in SHOWN}))

# %% [markdown]
# ## Ce que nous retenons
#
# * La sonde préentraînée devance le réseau parti de zéro de
#   {valeur:ecart-ic}`gap.mobilenetv2-int8-probe.efficientnet-b0-keras-scratch.accuracy`, et de
#   {valeur:ecart-ic}`gap.mobilenetv2-int8-probe-128.efficientnet-b0-keras-scratch.accuracy` sur des photos de même côté.
# * De zéro, l’écart des bibliothèques est de
#   {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy`, celui des architectures de
#   {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy`.
# * Testé seul, un vrai écart de {valeur}`power.smallest_gap` a quatre chances sur cinq d’être établi sur ce découpage, de
#   {valeur}`power.oof_smallest_gap` sur toutes les photos ; sans les réponses image par image, il en faut
#   {valeur}`power.smallest_unpaired_gap`.
#
# ## Ce qui pourrait être faux
#
# * **Le découpage.** Un seul tirage de {valeur}`data.test` images : les scores de variantes presque égales s’y écartent
#   de {valeur}`trial.spread_test`, et de {valeur}`trial.spread_folds` seulement sur des plis répétés.
# * **Le regard déjà posé.** Un script d’essai a vu ces images avant le choix de la sonde : son score est peut-être un
#   peu optimiste.
# * **La recette.** Fixée d’avance, elle n’a pas été optimisée ; l’écart vaut pour elle.
# * **Les coûts.** La matrice est une hypothèse, l’énergie une estimation.
#
# ```{provenance}
# ```
