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
# **Comment lire une longue suite sans tout relire à chaque pas ?** Une convolution ne voit que ses
# voisins, et l’attention revoit tout le passé ; un modèle d’espace d’état tient un résumé de taille fixe,
# qu’il met à jour à chaque jeton. Mamba lui ajoute la sélection : le jeton décide lui-même de ce que le
# résumé retient, et une petite tâche, apprise ici, montre ce que cela change.
#
# Une image découpée en carrés est une suite de jetons, comme une phrase est une suite de mots. Ce
# chapitre suit une idée à la fois, et chacune est calculée sous les yeux du lecteur : qui voit quoi, le
# système continu, ses deux calculs, la mémoire, la sélection, et enfin ce que la machine doit déplacer.

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
# Pour décider de ce que contient une image, un réseau doit rapprocher des jetons éloignés. Trois façons de
# mêler les jetons se sont succédé.
#
# La *convolution* {cite:p}`he2015deep` combine chaque jeton avec ses voisins. Pour relier deux jetons
# éloignés, il faut empiler les couches. L’*attention* {cite:p}`vaswani2017attention` compare tous les
# jetons deux à deux ; les transformeurs d’images {cite:p}`dosovitskiy2020image` n’ont rien d’autre. Le
# *balayage* d’un modèle d’espace d’état {cite:p}`gu2023mamba` lit les jetons dans l’ordre et se souvient.
#
# Nous ne le supposons pas, nous le mesurons : nous changeons un jeton, et nous regardons quelles réponses
# bougent.

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
# Les trois sont ceux de MambaVision, à une petite taille ; leurs poids sont tirés d’un générateur. La
# dérivée de chaque réponse par rapport à chaque jeton dit l’influence du second sur la première.

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
# La {numref}`fig-ssm-influence` résume le choix. La convolution est locale ; l’attention voit tout ; le
# balayage voit tout le passé, de moins en moins nettement. La bande au-dessus de sa diagonale vient de la
# petite convolution que MambaVision lui adjoint, et qui regarde le jeton suivant.

# %% tags=["nbval-check-output"]
for name, seen in maps.items():
    answers, heard = np.nonzero(seen)
    print(f"{name} : {(seen[-1] > 0).sum()} jetons dans la dernière réponse,",
          f"{(heard - answers).max()} en avant au plus")

# %% [markdown]
# ### Ce qu’il faut garder
#
# Voir loin a un prix, que l’on paie en mémoire. Pour lire le jeton suivant, une convolution garde ses
# derniers voisins ; l’attention garde tous les jetons déjà lus, deux fois (leurs clés et leurs valeurs) ;
# le balayage garde son état, dont la taille ne dépend pas de ce qu’il a lu.

# %%
lengths, channels, state = (16, 64, 256, 1024, 4096), 320, 8
kept = {
    "attention": [2 * n * channels for n in lengths],
    "balayage": [channels * state for _ in lengths],
    "convolution": [2 * channels for _ in lengths],
}

# %% mystnb={"figure": {"name": "fig-ssm-memoire", "caption": "Nombres à garder en mémoire pour lire un jeton de plus, par couche, pour une largeur de 320 canaux et un état de taille 8 (échelles logarithmiques)."}, "image": {"alt": "Trois lignes en échelles logarithmiques : celle de l’attention monte avec le nombre de jetons lus ; celles du balayage et de la convolution sont horizontales, la première au-dessus de la seconde."}}
figures.kept(kept, lengths)

# %% [markdown]
# La {numref}`fig-ssm-memoire` pose la question de ce chapitre : peut-on résumer un passé sans limite dans
# un état de taille fixe, sans perdre ce qui compte ?
#
# ## Un système qui évolue
#
# L’idée vient de la physique. Un ressort que l’on tire garde une trace de ce qu’on lui a fait : sa
# position et sa vitesse. Ces deux nombres sont son *état* $h$ ; ils évoluent d’eux-mêmes, et l’entrée $x$
# les pousse. La sortie $y$ en lit une partie :
#
# $$h'(t) = A\,h(t) + B\,x(t), \qquad y(t) = C\,h(t).$$
#
# Voici un ressort amorti, et une entrée par paliers d’une seconde. Sa réponse est calculée par
# intégration numérique, à une précision bien plus fine que le trait.

# %%
spring = systems.oscillator(frequency=0.35, damping=0.2)
pushes = np.array([1.0, 1.0, 0.0, -0.5, -0.5, -0.5, 1.0, 0.0, 0.0, 0.0])
times = np.linspace(0, len(pushes), 241)
answer = spring.respond(pushes, 1.0, times)

# %% [markdown]
# Une machine ne connaît pas le temps continu : elle avance par pas de durée $\Delta$. La règle la plus
# simple, celle d’*Euler*, suit la pente du début du pas. Le *bloqueur d’ordre zéro* fait mieux : il
# suppose l’entrée constante pendant le pas, et résout alors l’équation exactement.
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
# Déplacez le curseur de la {numref}`fig-ssm-pas`. Le bloqueur tombe juste, même pour un pas d’une seconde
# entière. Euler demande des pas très fins, et diverge quand ils sont grands. Nous vérifions les deux.

# %% tags=["nbval-check-output"]
lines = []
for label, (when, outputs) in stepped.items():
    exact = spring.respond(pushes, 1.0, when)
    gaps = {name: np.abs(found - exact).max() for name, found in outputs.items()}
    said = "exact" if gaps["bloqueur"] < 1e-8 else "faux"
    lines.append(f"pas {label:4} : bloqueur {said} ; Euler, écart {gaps['Euler']:.1g}")
print("\n".join(lines).replace(".", ","))

# %% [markdown]
# Le pas $\Delta$ n’est donc pas un détail de calcul : c’est lui qui dit combien de temps dure un jeton,
# et donc combien l’état oublie en le lisant. Retenons-le, la sélection agira sur lui.
#
# ## Une récurrence, ou une convolution
#
# Le système par pas est une récurrence : il lit un jeton, met l’état à jour, et recommence. C’est
# économe, mais chaque pas attend le précédent. Or, tant que $\bar A$, $\bar B$ et $C$ ne changent pas, on
# peut dérouler la récurrence :
#
# $$y_t = C\bar B\,x_t + C\bar A\bar B\,x_{t-1} + C\bar A^2\bar B\,x_{t-2} + \cdots$$
#
# C’est une convolution, dont le noyau $(C\bar B, C\bar A\bar B, C\bar A^2\bar B, \ldots)$ couvre tout le
# passé. Elle se calcule en une fois, pour toutes les positions {cite:p}`gu2021combining`.

# %%
steps = systems.hold(spring, 0.3)
draw = np.random.default_rng(0)
heard = np.repeat(draw.normal(size=15), 4)
kernel = steps.kernel(len(heard))
recurrent = steps.run(heard)

# %% mystnb={"figure": {"name": "fig-ssm-vues", "caption": "En haut, l’entrée et les termes de la somme pour une position ; en bas, la sortie de la récurrence et, en losange, la somme des termes. Le curseur change la position."}, "image": {"alt": "En haut, un signal en paliers et des barres orange, hautes près de la position choisie puis de plus en plus petites et alternées en remontant le passé. En bas, une courbe bleue et un losange orange posé sur elle."}}
figures.views(heard, kernel, recurrent, range(11, 60, 8))

# %% [markdown]
# Où que soit le curseur de la {numref}`fig-ssm-vues`, le losange est sur la courbe. Ce n’est pas une
# approximation : les deux vues donnent les mêmes nombres, que la convolution soit calculée directement ou
# par transformée de Fourier, en $n \log n$ opérations au lieu de $n^2$.

# %% tags=["nbval-check-output"]
for name, product in (("directe", np.convolve), ("de Fourier", systems.spectral)):
    convolved = systems.convolve(heard, kernel, product)
    print(f"convolution {name} et récurrence : mêmes nombres,",
          "oui" if np.allclose(convolved, recurrent, atol=1e-12) else "non")

# %% [markdown]
# On apprend donc sous une forme, la convolution, qui voit toute la suite d’un coup, et l’on s’en sert sous
# l’autre, la récurrence, qui lit au fil de l’eau. C’est le principe de S4 {cite:p}`gu2021efficiently` et de
# H3 {cite:p}`fu2022hungry`. S5 {cite:p}`smith2022simplified`, lui, garde partout la récurrence ; nous verrons
# comment il évite d’attendre.
#
# ## Se souvenir de tout, un peu
#
# Reste à choisir $A$. Tirée au hasard, elle oublie trop vite, ou elle explose. HiPPO
# {cite:p}`gu2020hippo` pose la question autrement : quels $N$ nombres décrivent au mieux *tout* le passé ?
# Réponse : ses coefficients sur les $N$ premiers polynômes de Legendre, étirés pour couvrir le passé
# entier. Et ces coefficients suivent une équation d’espace d’état :
#
# $$t\,c'(t) = -A\,c(t) + B\,f(t).$$
#
# La matrice $A$ n’est plus apprise ni tirée : elle est calculée. Voici la plus petite qui soit parlante.

# %% tags=["nbval-check-output"]
A, B = hippo.matrices(4)
print("A² :", *(np.round(A**2).astype(int).tolist()), sep="\n")
print("B² :", np.round(B**2).astype(int).tolist())

# %% [markdown]
# Élevés au carré un par un, ses termes sont entiers : $(2n+1)(2k+1)$ à la ligne $n$ et à la colonne $k$
# sous la diagonale, $(n+1)^2$ dessus, rien au-dessus ; ceux de $B$ aussi. Nous
# donnons à cette mémoire un signal de 256 échantillons, un par un. Elle ne voit que l’échantillon
# présent et ses propres coefficients. À la fin, nous lui demandons de redessiner tout ce qu’elle a vu.

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
# Avec huit nombres, HiPPO connaît l’allure générale de la {numref}`fig-ssm-hippo` ; avec seize, il la
# redessine presque entière, et trente-deux n’y ajoutent que le détail. Une mémoire qui ne garderait que les
# derniers échantillons serait parfaite sur eux, et aveugle au reste.
#
# Le calcul au fil de l’eau est-il fidèle ? Nous projetons le passé entier d’un coup, et nous comparons.

# %% tags=["nbval-check-output"]
lines = []
for size in sizes:
    same = np.allclose(memories[size], hippo.project(signal, size), atol=1e-9)
    error = np.sqrt(np.mean((recalled[size] - signal) ** 2) / np.mean(signal**2))
    lines.append(f"{size:2} nombres : comme la projection du tout, {'oui' if same else 'non'} ;"
                 f" erreur {100 * error:.0f} %")
print(*lines, sep="\n")

# %% [markdown]
# S4 part de cette matrice. Sa forme pleine coûte cher ; on a vite remarqué qu’une matrice *diagonale*
# suffit, si ses termes sont bien choisis {cite:p}`gupta2022diagonal`. Mamba, et MambaVision après lui, en
# gardent le souvenir : leur $A$ commence à $-1, -2, -3, \ldots$, qui est la diagonale de HiPPO
# {cite:p}`gu2023mamba`. Nous le vérifions dans un réseau neuf.

# %% tags=["nbval-check-output"]
fresh = ScanMixer(width)
decay = -torch.exp(fresh.A_log.detach()[0])
print("A d’un réseau neuf, un canal :", [round(value) for value in decay.tolist()])
print("diagonale de HiPPO, au signe près :", np.diag(hippo.matrices(8)[0]).astype(int).tolist())

# %% [markdown]
# ## Choisir ce que l’on retient
#
# Tout ce qui précède traite chaque jeton de la même façon. C’est ce qui permet la convolution ; c’est
# aussi une limite. Une phrase contient des mots vides, une photo de produit beaucoup de fond blanc : une
# bonne mémoire devrait les laisser passer sans rien effacer.
#
# La tâche de *copie sélective* met cette limite à nu {cite:p}`gu2023mamba`. Trois symboles sont perdus au
# milieu de blancs. Puis vient un signal, répété trois fois : il faut redire les symboles dans l’ordre.

# %% tags=["nbval-check-output"]
task, easy = copying.Task(), copying.Task(scattered=False)
names = {copying.BLANK: ".", copying.CUE: "?"} | dict(enumerate("ABCDEF", start=2))
for label, example in (("dispersés", task), ("au début", easy)):
    sequence, wanted = example.draw(1, torch.Generator().manual_seed(3))
    print(f"{label:10}", "".join(names[token] for token in sequence[0].tolist()), "->",
          "".join(names[token] for token in wanted[0].tolist()))

# %% [markdown]
# Quand les symboles sont toujours au début, il suffit de regarder un nombre fixe de pas en arrière. Quand
# ils sont dispersés, ce nombre change à chaque fois : il faut regarder le *contenu*.
#
# Trois couches vont apprendre cette tâche. Le reste du petit réseau est le même pour toutes.
#
# * La couche **sélective** : chaque jeton calcule son pas, $\Delta_t = \mathrm{softplus}(w \cdot x_t + b)$.
# * La même couche, à **pas fixe** : $\Delta = \mathrm{softplus}(b)$.
# * Une **convolution** libre, aussi longue que la suite. Toute couche à pas fixe en est un cas
#   particulier : à cette place, rien de linéaire et d’invariant dans le temps n’exprime davantage.

# %%
trials = {
    "sélective": ("selective", task),
    "à pas fixe": ("fixed", task),
    "convolution": ("convolution", task),
    "convolution, symboles au début": ("convolution", easy),
}
learned = {name: copying.learn(given, layer) for name, (layer, given) in trials.items()}
curves = {name: found.curve for name, found in learned.items()}

# %% mystnb={"figure": {"name": "fig-ssm-copie", "caption": "Part des symboles bien répétés, sur des suites nouvelles, au fil de l’apprentissage (une graine)."}, "image": {"alt": "Quatre courbes. La convolution atteint tout de suite le maximum quand les symboles sont au début. Sur les symboles dispersés, la couche sélective s’en approche en une centaine de pas, tandis que la couche à pas fixe et la convolution plafonnent vers la moitié."}}
figures.learning(curves, chance=1 / task.symbols)

# %% [markdown]
# La {numref}`fig-ssm-copie` sépare nettement les deux familles. La convolution réussit sans effort quand
# les positions sont fixes ; dès qu’elles varient, elle plafonne, et la couche à pas fixe avec elle. La
# couche sélective apprend. Une seule ligne de code l’en distingue.

# %% tags=["nbval-check-output"]
final = {name: curve[max(curve)] for name, curve in curves.items()}
print("sélective, presque sans faute :", "oui" if final["sélective"] > 0.95 else "non")
print("à pas fixe et convolution, sous les trois quarts :",
      "oui" if max(final["à pas fixe"], final["convolution"]) < 0.75 else "non")
print("convolution, symboles au début, sans faute :",
      "oui" if final["convolution, symboles au début"] > 0.99 else "non")

# %% [markdown]
# ### Ce qu’elle a appris
#
# Nous lui montrons une suite, et nous lisons le pas qu’elle donne à chaque jeton.

# %%
selective = learned["sélective"].model
sequence, _ = task.draw(1, torch.Generator().manual_seed(3))
with torch.no_grad():
    sizes_chosen = selective.mix.steps(selective.embed(sequence))[0].mean(dim=-1).numpy()
kinds = ["blanc" if t == copying.BLANK else "signal" if t == copying.CUE else "symbole"
         for t in sequence[0].tolist()]

# %% mystnb={"figure": {"name": "fig-ssm-choix", "caption": "Le pas choisi à chaque jeton d’une suite par la couche sélective, en moyenne sur ses canaux."}, "image": {"alt": "Barres le long de la suite : trois hautes barres orange aux positions des symboles, rien aux positions des blancs, et trois barres bleues plus basses aux signaux de la fin."}}
figures.steps_chosen(kinds, sizes_chosen)

# %% [markdown]
# Personne ne le lui a dit, elle l’a trouvé : sur un blanc, le pas est presque nul. Pour l’état, un blanc ne
# dure pas. La suite se réduit à ses symboles, et les répéter redevient la tâche facile, celle des positions
# fixes. La conséquence se vérifie : la longueur de la suite ne devrait plus compter.

# %% tags=["nbval-check-output"]
kind = np.array(kinds)
gap = sizes_chosen[kind == "symbole"].min() / sizes_chosen[kind == "blanc"].max()
lines = [f"pas d’un symbole, au moins cent fois celui d’un blanc : {'oui' if gap > 100 else 'non'}"]
for factor in (2, 4, 8):
    score = copying.score(selective, copying.Task(length=factor * task.length))
    lines.append(f"suites {factor} fois plus longues : {'réussies' if score > 0.95 else 'manquées'}")
print(*lines, sep="\n")

# %% [markdown]
# Mamba rend aussi $B$ et $C$ sélectifs. Le pas reste le principal : c’est lui qui ouvre ou ferme la porte,
# comme dans les réseaux récurrents à portes {cite:p}`gu2023mamba`. Le chapitre suivant
# {doc}`le montre sur MambaVision <01_mambavision>`.
#
# ## Aller vite sans convolution
#
# La sélection se paie : puisque $\bar A$ et $\bar B$ changent à chaque jeton, il n’y a plus de noyau, donc
# plus de convolution. Il faut revenir à la récurrence, qui semble condamnée à avancer pas à pas.
#
# ### Couper la suite
#
# Elle ne l’est pas. Un pas transforme $h$ en $a\,h + b$ ; deux pas de suite font encore $a'\,h + b'$. Cette
# composition est *associative* : on peut couper la suite où l’on veut, traiter les morceaux côte à côte,
# puis les raccorder {cite:p}`smith2022simplified`. Nous le vérifions sur trois pas, puis sur une suite
# entière, que la forme à deux niveaux coupe en tranches.

# %% tags=["nbval-check-output"]
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
# Sur une machine rapide, calculer coûte peu ; ce qui coûte, c’est d’apporter les nombres et de les remporter.
# Écrit simplement, un balayage fabrique $\bar A$, $\bar B x$ et tous les états : des tableaux $N$ fois plus
# grands que l’entrée, écrits puis relus. Mamba ne les écrit jamais : il lit l’entrée, garde l’état dans la
# petite mémoire rapide, et n’écrit que la sortie {cite:p}`gu2023mamba`.
#
# Nous comptons, opérateur par opérateur, les nombres lus et écrits par trois formes du même balayage.

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
# Dans la {numref}`fig-ssm-trafic`, la forme fusionnée ne paie presque rien pour un état plus grand. C’est ce
# qui rend un grand état abordable, et une grande mémoire possible.

# %% tags=["nbval-check-output"]
saved = {size: moved["boucle simple"][size] / moved["fusionnée"][size] for size in (1, 8, 16)}
print(*(f"état de taille {size:2} : la boucle simple déplace {ratio:.0f} fois plus de nombres"
        for size, ratio in saved.items()), sep="\n")

# %% [markdown]
# ### Tenir dans la mémoire rapide
#
# Notre forme fusionnée pour processeur travaille par tranches de quelques pas, choisies pour que ses tableaux
# de travail tiennent dans la mémoire propre du cœur. À l’apprentissage, elle ne garde que l’état au début de
# chaque tranche et recalcule le reste en revenant. Voici ce que `vitrine bench scan` en a mesuré, à côté
# d’un témoin écrit simplement.

# %%
from vitrine.report.tables import speeds

sheet = json.loads((paths.runs() / "bench" / "scan.json").read_text(encoding="utf-8"))
print("processeur :", sheet["hardware"]["cpu"], "; relevé du", sheet["date"])
measured = speeds.scans(sheet)
tables.show(measured[(measured.Longueur == 196) & (measured.Lot == 32)], decimals=1)

# %% [markdown]
# Compter n’est pas chronométrer, mais les deux s’accordent sur le sens : la forme qui déplace le moins est la
# plus rapide, et la plus sobre. Mamba-2 {cite:p}`dao2024mamba2` va plus loin dans cette voie : il restreint
# $A$ pour que les tranches deviennent des produits de matrices, ce que les cartes graphiques font de mieux.
#
# ## Ce que nous retenons
#
# * Un modèle d’espace d’état résume le passé dans un état de taille fixe : il voit loin, comme l’attention,
#   pour une mémoire qui ne grandit pas.
# * À pas fixe, c’est à la fois une récurrence et une convolution : les deux donnent les mêmes nombres, à
#   l’arrondi près. HiPPO dit quels nombres garder.
# * La sélection laisse chaque jeton choisir son pas. Sur la copie sélective, la couche qui choisit répète
#   {valeur}`copying.selective` des symboles ; à pas fixe, la même en répète {valeur}`copying.fixed`, et une
#   convolution libre {valeur}`copying.convolution`.
# * La convolution perdue, il reste le balayage : coupé en tranches et fusionné, il déplace
#   {valeur}`scan.traffic_saved` fois moins de nombres que la boucle simple.
#
# ## Ce qui pourrait être faux
#
# * **Une tâche jouet.** La copie sélective est faite pour ce que la sélection sait faire. Qu’elle y brille ne
#   dit pas qu’elle serve sur des photos : c’est l’objet du reste du livre.
# * **Une graine, un réglage.** Les courbes sont celles d’un seul apprentissage par couche, court, au même
#   réglage pour toutes. Une couche à pas fixe plus large, plus profonde ou plus longtemps entraînée ferait
#   mieux ; l’article en compare de bien plus grandes {cite:p}`gu2023mamba`.
# * **Un ordre de lecture.** Une image n’a pas de premier jeton. La lire ligne par ligne est un choix, et ce
#   chapitre n’en discute pas d’autre.
# * **Compter les nombres déplacés.** Le compte suppose que rien ne reste à portée entre deux opérateurs. Une
#   mémoire cache dément souvent cette hypothèse, au profit de la boucle simple.
#
# ```{provenance}
# ```
