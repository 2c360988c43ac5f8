# Two commands matter: `make book` builds the report, `make test` checks everything.
.DEFAULT_GOAL := help
.PHONY: help setup book test test-units test-smoke test-published lint demo serve serve-book gpu publish \
	rehearse audit images lock clean

BIN := .venv/bin
NBVAL := --nbval-current-env --nbval-cell-timeout=300 -p no:cacheprovider
# Processes that share the test files and the notebooks; 0 takes them one after the other.
WORKERS ?= 2
SPREAD = -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# The notebooks of the book, in the order of its table of contents.
CHAPTERS = $(shell sed -n 's|^ *- file: notebooks/||p' _toc.yml)
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PYTHONPATH :=
# Bytecode is kept, even where the environment says not to: compiling PyTorch's or TensorFlow's takes
# each process ten seconds.
export PYTHONDONTWRITEBYTECODE :=

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup:  ## Make .venv from the hash-pinned requirements (8 GB, a few minutes the first time)
	@bash requirements/install.sh

book: setup  ## Execute the notebooks, build the book, check it (under 5 minutes)
	@$(BIN)/vitrine book

test: setup  ## Run every check, tell which parts failed (about 15 minutes on two cores)
	@failed=; \
	for part in test-units test-smoke test-published; do \
		$(MAKE) --no-print-directory $$part || failed="$$failed $$part"; \
	done; \
	test -z "$$failed" || { echo "test: expected every part to pass, failed:$$failed" >&2; exit 1; }

test-units: setup  ## Unit tests and browser tests
	$(BIN)/pytest -q --durations=8 -p no:nbval $(SPREAD) tests

test-smoke: setup  ## The whole chain in miniature: each notebook trains, draws and is compared (nbval)
	VITRINE_PROFILE=smoke $(BIN)/pytest -q --nbval-lax $(NBVAL) $(SPREAD) notebooks

test-published: setup  ## Each published output is what its notebook gives today (strict nbval)
	VITRINE_PROFILE=published VITRINE_PHOTOS=0 $(BIN)/pytest -q --nbval \
		--nbval-sanitize-with tests/nbval_sanitise.cfg $(NBVAL) $(SPREAD) notebooks

lint: setup  ## Style and types of the code, consistency of what is published
	$(BIN)/ruff check src tests deploy requirements
	$(BIN)/ruff format --check src tests deploy requirements
	$(BIN)/basedpyright
	$(BIN)/vitrine check

demo: setup  ## Train and compare on the synthetic catalogue, for real (under 6 minutes)
	$(BIN)/vitrine run --profile smoke $(CHAPTERS)

serve: setup  ## Try the classifier in a browser, on http://127.0.0.1:7860
	$(BIN)/vitrine up

serve-book:  ## Serve the built book on http://127.0.0.1:8080
	@test -f build/html/index.html || { echo "serve-book: build the book first, with make book" >&2; exit 2; }
	$(BIN)/python -m http.server 8080 --bind 127.0.0.1 --directory build/html

publish: setup  ## Execute what is stale and write notebooks/*.ipynb
	$(BIN)/vitrine publish

rehearse: setup  ## Build, run and probe both images' content without a container engine (under 1 minute)
	$(BIN)/python deploy/rehearse.py

audit: setup  ## Known vulnerabilities of the locked packages, and the images' bills (needs a network)
	$(BIN)/python requirements/sbom.py build/audit requirements/api.txt requirements/ui.txt
	$(BIN)/python requirements/audit.py requirements/api.txt requirements/ui.txt requirements/all.txt

images:  ## Build both images, as the workflow does (needs Docker)
	@docker compose version >/dev/null 2>&1 || { echo "images: expected docker and its compose, found none; make rehearse does without" >&2; exit 2; }
	docker compose -f deploy/compose.yaml build --build-arg REVISION=$$(git rev-parse HEAD)

gpu: setup  ## On a CUDA device: Triton tests, scan beside mamba_ssm's kernel, MambaVision-T in bfloat16 (under 10 minutes)
	$(BIN)/python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "gpu: expected a CUDA device, found none")'
	$(BIN)/python -m pytest -q tests/models/test_scan_triton.py
	$(BIN)/vitrine bench scan --device cuda --folder build/gpu
	$(BIN)/vitrine bench model --device cuda --folder build/gpu

lock:  ## Resolve the dependencies again into requirements/, the images' from the same (needs uv)
	uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --no-header \
		--no-emit-index-url --python-version 3.11 -o requirements/all.txt pyproject.toml
	@for extra in api ui; do \
		python3 requirements/extra.py $$extra | uv pip compile --quiet --universal \
			--generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
			--constraints requirements/all.txt -o requirements/$$extra.txt - || exit 1; \
	done
	python3 requirements/stamp.py requirements/all.txt requirements/api.txt requirements/ui.txt

clean:  ## Remove what can be made again, the environment excepted
	rm -rf build .pytest_cache .ruff_cache _build
