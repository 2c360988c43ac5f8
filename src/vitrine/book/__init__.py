"""The executable book: run notebooks, keep stamps, build, check and publish.

::

    notebooks/NN_name.py -sources-> notebook -runner-> build/executed/<profile>/NN_name.ipynb
                                                   | stamps: fresh, prose-only, stale, hollow
                                                   +-build-> build/html -checks-> first page
                                                   +-runner.publish-> notebooks/NN_name.ipynb

``runner`` executes through papermill (``engine``), in a kernel that notes what it reads and imports
(``recorder``). ``sphinx_ext`` is what ``_config.yml`` loads: French interface, spaces and search
(``french``), references (``bibliography``), plotly figures with their data (``plotly_renderer``,
``figure_data``), numbers of the ledger in the prose (``roles``, ``ledger_view``, ``wording``),
markup that screen readers follow (``markup``), code that is folded and checks that are hidden
(``folding``), where results come from (``provenance``), the foot of every page (``footer``),
documents to download (``downloads``), and what is written from tracked files (``inserts``): the
reading notes (``reading_notes``), what was measured (``measurements``), free pictures
(``pictures``). ``proofreading`` refuses a result typed by hand and what French would not print.

``note`` and ``slides`` are two templates of ``pages/`` that print a ``ledger_view``, with
``illustrations`` in SVG (``drawings``). ``gallery`` writes one published figure alone; ``readme``
writes the results in README.

A notebook is a text file in py:percent format. It starts like this::

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
    # # Titre de la page

    # %% tags=["parameters"]
    profile = "published"
    recipe = "efficientnet-b0-keras-scratch"
    retrain = False

There is exactly one ``parameters`` cell, of plain literals. A cell that ends on a figure declares
its caption and its alternative text, on one line, and is cited by ``{numref}`fig-courbes```::

    # %% mystnb={"figure": {"name": "fig-courbes", "caption": "..."}, "image": {"alt": "..."}}

The kernel sees ``VITRINE_PROFILE`` (published or smoke) and ``VITRINE_PHOTOS`` (1 or 0: whether
original photos may be shown), and runs from the repository root.
"""
