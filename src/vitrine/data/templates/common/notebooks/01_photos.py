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
# # $page_title
#
# $page_data

# %% tags=["parameters", "remove-input"]
profile = "published"

# %% tags=["remove-input"]
from IPython.display import Markdown
from vitrine.report import own
from vitrine.training.session import begin

session = begin(profile)
report = own.load()

# %% tags=["remove-input"]
own.shown(report.data())

# %% [markdown]
# ## $page_scores_title
#
# $page_scores

# %% tags=["remove-input"]
own.shown(report.scores())

# %% tags=["remove-input"]
Markdown(report.left_out())

# %% [markdown]
# ## $page_gaps_title
#
# $page_gaps

# %% tags=["remove-input"]
own.shown(report.gaps())

# %% tags=["remove-input"]
Markdown("\n".join(f"* {verdict}" for verdict in report.verdicts()))

# %% [markdown]
# ## $page_errors_title

# %% tags=["remove-input"]
own.shown(wrong) if len(wrong := report.confusions(report.best())) else None

# %% tags=["remove-input"]
report.errors(report.best()) if session.photos else None

# %% [markdown]
# ## $page_looks_title
#
# $page_looks

# %% tags=["remove-input"]
report.looks() if session.photos else None

# %% [markdown]
# ## $page_limits_title
#
# $page_limits
