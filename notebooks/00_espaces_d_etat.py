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
# # Des réseaux convolutifs aux modèles d’espace d’état
#
# **Comment lire une longue suite sans tout relire à chaque pas ?** Un modèle d’espace d’état tient un résumé de
# taille fixe, qu’il met à jour à chaque jeton, et Mamba laisse le jeton décider de ce que ce résumé retient. Vous
# saurez en trente minutes écrire une récurrence et sa convolution, dire ce que la sélection change, et ce qu’elle
# coûte.
#
# Une image découpée en carrés est une suite de jetons, comme une phrase est une suite de mots.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# Les deux profils font les mêmes calculs, sur un seul fil.

# %%
import json

import numpy as np
import torch

from vitrine import paths
from vitrine.report import tables
from vitrine.report.figures import ssm as figures
from vitrine.training.session import begin
from vitrine.ssm import copying, hippo, systems, traffic

session = begin(profile)
torch.set_num_threads(1)

# %% [markdown]
# ## Qui voit quoi
#
# Pour décider de ce que contient une image, un réseau doit rapprocher des jetons éloignés.
#
# La *convolution* {cite:p}`he2015deep` combine chaque jeton avec ses voisins. Pour relier deux jetons
# éloignés, il faut empiler les couches. L’*attention* {cite:p}`vaswani2017attention` compare tous les
# jetons deux à deux ; les transformeurs d’images {cite:p}`dosovitskiy2020image` n’ont rien d’autre. Le
# *balayage* d’un modèle d’espace d’état {cite:p}`gu2023mamba` lit les jetons dans l’ordre et se souvient.
#
# Mesurons-le : nous changeons un jeton, et nous regardons quelles réponses bougent.

# %%
from vitrine.bench.lengths import ConvolutionMixer
from vitrine.models import rebuilt
from vitrine.models.mambavision import AttentionMixer, ScanMixer

width, length = 32, 16
mixers = {
    "convolution": ConvolutionMixer(width),
    "attention": AttentionMixer(width, 2),
    "balayage": ScanMixer(width),
}

# %% [markdown]
# Les trois sont ceux de MambaVision, en petit. La dérivée de chaque réponse par rapport à chaque jeton dit
# l’influence du second sur la première.

# %%
tokens = torch.from_numpy(rebuilt.stream("tokens", length * width)).reshape(1, length, width)
maps = {}
for name, mixer in mixers.items():
    mix = rebuilt.fill(torch.nn.ModuleDict({"mixer": mixer})).double().eval()["mixer"]
    moves = torch.autograd.functional.jacobian(mix, tokens)
    maps[name] = moves.abs().sum(dim=(0, 2, 3, 5)).numpy()

# %% mystnb={"figure": {"name": "fig-ssm-influence", "caption": "Influence de chaque jeton lu (en abscisse) sur chaque réponse (en ordonnée), rapportée à la plus forte. Une case vide : aucune influence."}, "image": {"alt": "Trois grilles carrées. Pour la convolution, seule la diagonale et ses deux voisines sont remplies. Pour l’attention, toute la grille l’est. Pour le balayage, le triangle sous la diagonale, plus une bande au-dessus, avec une influence qui s’affaiblit en s’éloignant de la diagonale."}}
figures.influence(maps)

# %% [markdown]
# La convolution est locale ; l’attention voit tout ; le balayage voit tout le passé, de moins en moins nettement. La
# bande au-dessus de sa diagonale vient de la petite convolution que MambaVision lui adjoint, et qui regarde le
# jeton suivant.

# %% tags=["nbval-check-output"]
for name, seen in maps.items():
    answers, heard = np.nonzero(seen)
    print(
        f"{name} : {(seen[-1] > 0).sum()} jetons dans la dernière réponse,",
        f"{(heard - answers).max()} en avant au plus",
    )

# %% [markdown]
# Voir loin a un prix. L’attention compare tous les jetons deux à deux ; le balayage n’a que son état, dont la taille
# ne dépend pas de ce qu’il a lu. Peut-on résumer un passé sans limite dans un état de taille fixe, sans perdre ce
# qui compte ?
#
# ## Un système qui évolue
#
# Un ressort que l’on tire garde une trace de ce qu’on lui a fait : sa position et sa vitesse. Ces deux nombres sont
# son *état* $h$ ; ils évoluent d’eux-mêmes, et l’entrée $x$ les pousse. La sortie $y$ en lit une partie :
#
# $$h'(t) = A\,h(t) + B\,x(t), \qquad y(t) = C\,h(t).$$
#
# Voici la réponse d’un ressort amorti à une entrée par paliers d’une seconde.

# %%
spring = systems.oscillator(frequency=0.35, damping=0.2)
pushes = np.array([1.0, 1.0, 0.0, -0.5, -0.5, -0.5, 1.0, 0.0, 0.0, 0.0])
times = np.linspace(0, len(pushes), 241)
answer = spring.respond(pushes, 1.0, times)

# %% [markdown]
# Une machine avance par pas de durée $\Delta$. La règle d’*Euler* suit la pente du début du pas. Le *bloqueur d’ordre
# zéro* suppose l’entrée constante pendant le pas, et résout alors l’équation exactement.
#
# $$\bar A = e^{\Delta A}, \qquad \bar B = A^{-1}\,(e^{\Delta A} - I)\,B, \qquad h_t = \bar A\,h_{t-1} + \bar B\,x_t .$$

# %%
rules = {"bloqueur": systems.hold, "Euler": systems.euler}
cuts = {"1": 1, "0,5": 2, "0,25": 4, "0,1": 10, "0,05": 20}
stepped = {}
for label, cut in cuts.items():
    when = np.arange(1, len(pushes) * cut + 1) / cut
    held = np.repeat(pushes, cut)
    stepped[label] = (when, {name: rule(spring, 1 / cut).run(held) for name, rule in rules.items()})

# %% mystnb={"figure": {"name": "fig-ssm-pas", "caption": "Un ressort amorti, en temps continu et par pas. Le curseur change la durée du pas : les points du bloqueur d’ordre zéro restent sur la courbe, ceux d’Euler s’en écartent."}, "image": {"alt": "Une courbe grise qui ondule, des points bleus posés exactement sur elle, et des croix orange, celles d’Euler, qui oscillent plus fort qu’elle pour un pas d’un quart de seconde."}}
figures.held(times, answer, stepped, first="0,25")

# %% [markdown]
# Déplacez le curseur de la {numref}`fig-ssm-pas`. Le bloqueur tombe juste, même pour un pas d’une seconde entière.
# Euler demande des pas très fins, et diverge quand ils sont grands.

# %% tags=["nbval-check-output"]
lines = []
for label, (when, outputs) in stepped.items():
    exact = spring.respond(pushes, 1.0, when)
    gaps = {name: np.abs(found - exact).max() for name, found in outputs.items()}
    said = "exact" if gaps["bloqueur"] < 1e-8 else "faux"
    lines.append(f"pas {label:4} : bloqueur {said} ; Euler, écart {gaps['Euler']:.1g}")
print("\n".join(lines).replace(".", ","))

# %% [markdown]
# Le pas $\Delta$ dit combien de temps dure un jeton, donc combien l’état oublie en le lisant. La sélection agira sur
# lui.
#
# **Exercice.** Jusqu’à quel pas Euler reste-t-il dans la figure ? Changez le nombre de coupes d’une seconde. Une
# solution :

# %% tags=["hide-cell"]
for cut in (6, 12, 25, 50):
    when = np.arange(1, len(pushes) * cut + 1) / cut
    found = systems.euler(spring, 1 / cut).run(np.repeat(pushes, cut))
    print(
        cut,
        "pas par seconde, écart",
        f"{np.abs(found - spring.respond(pushes, 1.0, when)).max():.2g}".replace(".", ","),
    )

# %% [markdown]
# ## Une récurrence, ou une convolution
#
# Le système par pas est une récurrence : chaque pas attend le précédent. Or, tant que $\bar A$, $\bar B$ et $C$ ne
# changent pas, on peut la dérouler :
#
# $$y_t = C\bar B\,x_t + C\bar A\bar B\,x_{t-1} + C\bar A^2\bar B\,x_{t-2} + \cdots$$
#
# C’est une convolution, dont le noyau $(C\bar B, C\bar A\bar B, C\bar A^2\bar B, \ldots)$ couvre tout le
# passé. Elle se calcule en une fois, pour toutes les positions {cite:p}`gu2021combining`, directement ou par
# transformée de Fourier, en $n \log n$ opérations au lieu de $n^2$.

# %%
steps = systems.hold(spring, 0.3)
draw = np.random.default_rng(0)
heard = np.repeat(draw.normal(size=15), 4)
kernel = steps.kernel(len(heard))
recurrent = steps.run(heard)

# %% mystnb={"figure": {"name": "fig-ssm-vues", "caption": "En haut, l’entrée et les termes de la somme pour une position ; en bas, la sortie de la récurrence et, en losange, la somme des termes. Le curseur change la position."}, "image": {"alt": "En haut, un signal en paliers et des barres orange, hautes près de la position choisie puis de plus en plus petites et alternées en remontant le passé. En bas, une courbe bleue et un losange orange posé sur elle."}}
figures.views(heard, kernel, recurrent, range(11, 60, 8))

# %% [markdown]
# Où que soit le curseur de la {numref}`fig-ssm-vues`, le losange est sur la courbe : les deux vues donnent les mêmes
# nombres.

# %% tags=["nbval-check-output", "remove-cell"]
for name, product in (("directe", np.convolve), ("de Fourier", systems.spectral)):
    convolved = systems.convolve(heard, kernel, product)
    print(
        f"convolution {name} et récurrence : mêmes nombres,",
        "oui" if np.allclose(convolved, recurrent, atol=1e-12) else "non",
    )

# %% [markdown]
# On apprend sous une forme, la convolution, qui voit toute la suite d’un coup, et l’on s’en sert sous l’autre, qui lit
# au fil de l’eau. C’est le principe de S4 {cite:p}`gu2021efficiently` et de H3 {cite:p}`fu2022hungry`. S5
# {cite:p}`smith2022simplified` garde partout la récurrence ; nous verrons comment il évite d’attendre.
#
# ## Se souvenir de tout, un peu
#
# Reste à choisir $A$. Tirée au hasard, elle oublie trop vite, ou elle explose. HiPPO {cite:p}`gu2020hippo` demande
# quels $N$ nombres décrivent au mieux *tout* le passé : ses coefficients sur les $N$ premiers polynômes de Legendre,
# étirés pour le couvrir. Et ces coefficients suivent une équation d’espace d’état :
#
# $$t\,c'(t) = -A\,c(t) + B\,f(t).$$
#
# La matrice $A$ n’est plus apprise ni tirée : elle est calculée. La voici pour quatre coefficients.

# %% tags=["nbval-check-output"]
A, B = hippo.matrices(4)
print("A² :", *(np.round(A**2).astype(int).tolist()), sep="\n")
print("B² :", np.round(B**2).astype(int).tolist())

# %% [markdown]
# Nous donnons à cette mémoire un signal de 256 échantillons, un par un ; elle ne voit que l’échantillon présent et ses
# propres coefficients. À la fin, elle redessine tout ce qu’elle a vu.

# %%
places = np.linspace(0, 1, 256)
signal = np.sin(2 * np.pi * 2 * places) + 0.6 * np.cos(2 * np.pi * (1 + 3 * places) * places)
sizes = (4, 8, 16, 32)
memories = {size: hippo.remember(signal, size)[-1] for size in sizes}
recalled = {size: hippo.recall(memory, len(signal)) for size, memory in memories.items()}
last = {size: signal[-size:] for size in sizes}

# %% mystnb={"figure": {"name": "fig-ssm-hippo", "caption": "Un signal lu échantillon par échantillon, et ce qu’en redessinent quelques coefficients de HiPPO. En orange, ce qu’autant de nombres gardent quand on se contente des derniers échantillons. Le curseur change la taille de la mémoire."}, "image": {"alt": "Une courbe grise qui ondule de plus en plus vite ; une courbe bleue la suit sur toute sa longueur, d’autant plus près que la mémoire est grande ; des points orange n’occupent que l’extrémité droite."}}
figures.past(signal, recalled, last)

# %% [markdown]
# Avec seize nombres, la {numref}`fig-ssm-hippo` est presque entière, et trente-deux n’y ajoutent que le détail. Les
# derniers échantillons, eux, sont parfaits et aveugles au reste. Le calcul au fil de l’eau donne ce que donnerait une
# projection du passé entier.

# %% tags=["nbval-check-output"]
for size in sizes:
    error = np.sqrt(np.mean((recalled[size] - signal) ** 2) / np.mean(signal**2))
    print(f"{size:2} nombres : erreur {100 * error:.0f} %")

# %% tags=["nbval-check-output", "remove-cell"]
whole = {size: hippo.project(signal, size) for size in sizes}
print(all(np.allclose(memories[size], whole[size], atol=1e-9) for size in sizes))

# %% [markdown]
# S4 part de cette matrice. Une matrice *diagonale* suffit, si ses termes sont bien choisis
# {cite:p}`gupta2022diagonal` : le $A$ de Mamba, et celui de MambaVision après lui, commencent à
# $-1, -2, -3, \ldots$, la diagonale de HiPPO {cite:p}`gu2023mamba`. Voici celui d’un réseau neuf.

# %% tags=["nbval-check-output"]
fresh = ScanMixer(width)
decay = -torch.exp(fresh.A_log.detach()[0])
print("A d’un réseau neuf, un canal :", [round(value) for value in decay.tolist()])
print("diagonale de HiPPO, au signe près :", np.diag(hippo.matrices(8)[0]).astype(int).tolist())

# %% [markdown]
# ## Choisir ce que l’on retient
#
# Tout ce qui précède traite chaque jeton de la même façon. Or une phrase contient des mots vides, une photo de produit
# beaucoup de fond blanc : une bonne mémoire les laisserait passer sans rien effacer.
#
# La tâche de *copie sélective* met cette limite à nu {cite:p}`gu2023mamba`. Trois symboles sont perdus au
# milieu de blancs. Puis vient un signal, répété trois fois : il faut redire les symboles dans l’ordre.

# %% tags=["nbval-check-output"]
task, easy = copying.Task(), copying.Task(scattered=False)
names = {copying.BLANK: ".", copying.CUE: "?"} | dict(enumerate("ABCDEF", start=2))
for label, example in (("dispersés", task), ("au début", easy)):
    sequence, wanted = example.draw(1, torch.Generator().manual_seed(3))
    print(
        f"{label:10}",
        "".join(names[token] for token in sequence[0].tolist()),
        "->",
        "".join(names[token] for token in wanted[0].tolist()),
    )

# %% [markdown]
# Quand les symboles sont au début, il suffit de regarder un nombre fixe de pas en arrière. Quand ils sont dispersés, il
# faut regarder le *contenu*. Trois couches apprennent cette tâche ; le reste du petit réseau est le même.
#
# * La couche **sélective** : chaque jeton calcule son pas, $\Delta_t = \mathrm{softplus}(w \cdot x_t + b)$.
# * La même couche, à **pas fixe** : $\Delta = \mathrm{softplus}(b)$.
# * Une **convolution** libre, aussi longue que la suite : toute couche à pas fixe en est un cas particulier.

# %%
trials = {
    "sélective": ("selective", task),
    "à pas fixe": ("fixed", task),
    "convolution": ("convolution", task),
    "convolution, symboles au début": ("convolution", easy),
}
learned = {name: copying.learn(given, layer) for name, (layer, given) in trials.items()}
curves = {name: found.curve for name, found in learned.items()}

# %% mystnb={"figure": {"name": "fig-ssm-copie", "caption": "Part des symboles bien répétés, sur des suites nouvelles, au fil de l’apprentissage (une graine)."}, "image": {"alt": "Quatre courbes. La convolution atteint tout de suite le maximum quand les symboles sont au début. Sur les symboles dispersés, la couche sélective s’en approche en une centaine de pas, tandis que la couche à pas fixe et la convolution n’en sont qu’à un peu plus de la moitié."}}
figures.learning(curves, chance=1 / task.symbols)

# %% [markdown]
# Dans la {numref}`fig-ssm-copie`, la convolution réussit quand les positions sont fixes ; dès qu’elles varient, elle
# reste loin derrière, et la couche à pas fixe aussi. La couche sélective apprend en autant de pas. Une seule ligne de
# code l’en distingue.

# %% tags=["nbval-check-output", "remove-cell"]
final = {name: curve[max(curve)] for name, curve in curves.items()}
print("sélective, presque sans faute :", final["sélective"] > 0.95)
print(
    "les deux autres, sous les trois quarts :",
    max(final["à pas fixe"], final["convolution"]) < 0.75,
)
print("convolution, symboles au début :", final["convolution, symboles au début"] > 0.99)

# %% [markdown]
# Quel pas la couche sélective donne-t-elle à chaque jeton ?

# %%
selective = learned["sélective"].model
sequence, _ = task.draw(1, torch.Generator().manual_seed(3))
with torch.no_grad():
    sizes_chosen = selective.mix.steps(selective.embed(sequence))[0].mean(dim=-1).numpy()
kinds = [
    "blanc" if t == copying.BLANK else "signal" if t == copying.CUE else "symbole"
    for t in sequence[0].tolist()
]

# %% mystnb={"figure": {"name": "fig-ssm-choix", "caption": "Le pas choisi à chaque jeton d’une suite par la couche sélective, en moyenne sur ses canaux."}, "image": {"alt": "Barres le long de la suite : trois hautes barres orange aux positions des symboles, rien aux positions des blancs, et trois barres bleues plus basses aux signaux de la fin."}}
figures.steps_chosen(kinds, sizes_chosen)

# %% [markdown]
# Sur un blanc, le pas est presque nul : pour l’état, un blanc ne dure pas. La suite se réduit à ses symboles, et sa
# longueur ne devrait plus compter. Vérifions-le.

# %% tags=["nbval-check-output"]
kind = np.array(kinds)
gap = sizes_chosen[kind == "symbole"].min() / sizes_chosen[kind == "blanc"].max()
print("pas d’un symbole, rapporté à celui d’un blanc :", "plus de cent" if gap > 100 else "moins")
for factor in (2, 4, 8):
    score = copying.score(selective, copying.Task(length=factor * task.length))
    print(f"suites {factor} fois plus longues :", "réussies" if score > 0.95 else "manquées")

# %% [markdown]
# Mamba rend aussi $B$ et $C$ sélectifs. Le pas reste le principal : c’est lui qui ouvre ou ferme la porte, comme dans
# les réseaux récurrents à portes {cite:p}`gu2023mamba`. Le chapitre suivant
# {doc}`le montre sur MambaVision <01_mambavision>`.
#
# **Exercice.** Que devient la couche à pas fixe si on l’entraîne deux fois plus longtemps ? Elle rattrape une bonne part
# de son retard : sur cette longueur, ce que la sélection donne est d’abord la vitesse d’apprentissage. Une solution :

# %% tags=["hide-cell"]
longer = copying.learn(task, "fixed", steps=500, every=500)
for steps_done, share in ((250, final["à pas fixe"]), (500, longer.curve[500])):
    print(f"{steps_done} pas d’apprentissage : {100 * share:.0f} % de symboles bien répétés")

# %% [markdown]
# ## Aller vite sans convolution
#
# La sélection se paie : puisque $\bar A$ et $\bar B$ changent à chaque jeton, il n’y a plus de noyau, donc plus de
# convolution. Mais un pas transforme $h$ en $a\,h + b$, et deux pas de suite font encore $a'\,h + b'$. Cette
# composition est *associative* : on peut couper la suite où l’on veut, traiter les morceaux côte à côte, puis les
# raccorder {cite:p}`smith2022simplified`. Le carnet le vérifie sur trois pas, puis sur une suite de 196 coupée en
# tranches de 14.

# %% tags=["nbval-check-output", "remove-cell"]
from vitrine.models.scan import chunked, reference, two_level

generator = torch.Generator().manual_seed(0)
drawn = torch.rand(3, 2, 4, dtype=torch.float64, generator=generator)
one, two, three = (tuple(pair) for pair in drawn)
left = traffic.compose(traffic.compose(one, two), three)
right = traffic.compose(one, traffic.compose(two, three))
print("même résultat, quel que soit le groupement :", torch.allclose(left[1], right[1]))
inputs = traffic.scan_inputs(2, 196, 8, 8)
whole, pieces = (scan.selective_scan(**inputs) for scan in (reference, two_level))
print("196 pas un à un, ou par tranches de 14 :", torch.allclose(whole, pieces, atol=1e-4))

# %% [markdown]
# ### Compter ce qui bouge
#
# Sur une machine rapide, ce qui coûte est d’apporter les nombres et de les remporter. Écrit simplement, un balayage
# fabrique $\bar A$, $\bar B x$ et tous les états : des tableaux $N$ fois plus grands que l’entrée, écrits puis relus.
# Mamba garde l’état dans la petite mémoire rapide, et n’écrit que la sortie {cite:p}`gu2023mamba`. Nous comptons les
# nombres lus et écrits par trois formes du même balayage.

# %%
forms = {"boucle simple": reference, "à deux niveaux": two_level, "fusionnée": chunked}
entries = 196 * 160
moved = {name: {} for name in forms}
for size in (1, 2, 4, 8, 16):
    given = traffic.scan_inputs(1, 196, 160, size)
    for name, form in forms.items():
        moved[name][size] = traffic.count(form.selective_scan, given).moved / entries

# %% mystnb={"figure": {"name": "fig-ssm-trafic", "caption": "Nombres lus et écrits en mémoire par un balayage, pour un nombre de l’entrée, selon la taille de l’état (196 jetons, 160 canaux, échelles logarithmiques)."}, "image": {"alt": "Trois lignes : celles de la boucle simple et de la forme à deux niveaux montent avec la taille de l’état ; celle de la forme fusionnée reste presque horizontale, bien plus bas."}}
figures.traffic(moved)

# %% [markdown]
# Dans la {numref}`fig-ssm-trafic`, la forme fusionnée ne paie presque rien pour un état plus grand.

# %% tags=["nbval-check-output"]
saved = {size: moved["boucle simple"][size] / moved["fusionnée"][size] for size in (1, 8, 16)}
print(
    *(
        f"état de taille {size:2} : la boucle simple déplace {ratio:.0f} fois plus de nombres"
        for size, ratio in saved.items()
    ),
    sep="\n",
)

# %% [markdown]
# Notre forme fusionnée pour processeur travaille par tranches qui tiennent dans la mémoire propre du cœur. À
# l’apprentissage, elle ne garde que l’état au début de chaque tranche et recalcule le reste. Voici ce que
# `vitrine bench scan` en a mesuré, à côté d’un témoin écrit simplement.

# %%
from vitrine.report.tables import speeds

sheet = json.loads((paths.runs() / "bench" / "scan.json").read_text(encoding="utf-8"))
print("processeur :", sheet["hardware"]["cpu"], "; relevé du", sheet["date"])
measured = speeds.scans(sheet)
tables.show(measured[(measured.Longueur == 196) & (measured.Lot == 32)], decimals=1)

# %% [markdown]
# La forme qui déplace le moins est aussi la plus rapide. Mamba-2 {cite:p}`dao2024mamba2` restreint $A$ pour que les
# tranches deviennent des produits de matrices, ce que les cartes graphiques font de mieux.
#
# **Exercice.** Que déplace la forme fusionnée pour une suite quatre fois plus longue, par nombre de l’entrée ? Une
# solution :

# %% tags=["hide-cell"]
longer_inputs = traffic.scan_inputs(1, 784, 160, 8)
ratio = traffic.count(chunked.selective_scan, longer_inputs).moved / (784 * 160)
print(f"196 jetons : {moved['fusionnée'][8]:.1f} ; 784 jetons : {ratio:.1f}".replace(".", ","))

# %% [markdown]
# ## Ce que nous retenons
#
# * Un modèle d’espace d’état voit loin avec un état de taille fixe. À pas fixe, il est à la fois une récurrence et une
#   convolution ; HiPPO dit quels nombres garder.
# * La sélection laisse chaque jeton choisir son pas. Sur la copie sélective, la couche qui choisit répète, après un court apprentissage,
#   {valeur}`copying.selective` des symboles ; à pas fixe, la même en répète {valeur}`copying.fixed`, et une
#   convolution libre {valeur}`copying.convolution`.
# * La convolution perdue, il reste le balayage : coupé en tranches et fusionné, il déplace
#   {valeur}`scan.traffic_saved` fois moins de nombres que la boucle simple.
#
# ## Ce qui pourrait être faux
#
# * **Une tâche jouet.** La copie sélective est faite pour ce que la sélection sait faire. Qu’elle y brille ne dit pas
#   qu’elle serve sur des photos.
# * **Une graine, un réglage.** Une couche à pas fixe plus large, plus profonde ou entraînée plus longtemps ferait
#   mieux ; l’article en compare de bien plus grandes {cite:p}`gu2023mamba`.
# * **Un ordre de lecture.** Une image n’a pas de premier jeton : la lire ligne par ligne est un choix.
# * **Compter les nombres déplacés** suppose que rien ne reste à portée entre deux opérateurs. Une mémoire cache le
#   dément souvent, au profit de la boucle simple.
#
# ```{provenance}
# ```
