# Two commands do everything: `make segment` and `make test`. Recipes name only relative paths, so that a checkout in
# a folder with spaces works too.

PYTHON ?= python3
# Install another build of torch by `make segment TORCH="torch==2.13.0 --index-url ..."`.
TORCH ?= torch==2.13.0
# The program Slicer, for `make slicer-test`.
SLICER ?=
# Folder that holds lits/val, for `make validate`.
DATA ?= data
# The CT for `make segment` (empty: the sample), and the folder for its results.
CT ?=
OUT ?=
# What `make fire` does, and of all its runs which share.
PART ?= fuzz faults full kills soak load
SHARE ?= 0.5
# More options for `make segment`, such as FLAGS="--preset paper --probabilities --force".
FLAGS ?=

VENV := .venv
BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(VENV)/$(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check -q
LLC := $(PY) -m LiverLesionCascadeLib.cli
FIGURES := $(PY) Testing/tools/write_figures.py
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
INSTALLED_WEB := $(VENV)/.installed-web
SAMPLE := sample/volume-117.nii.gz

.DELETE_ON_ERROR:
.PHONY: help segment sample test test-wheel test-web lint docs validate benchmark fire train-demo release-check
.PHONY: slicer-test install install-test install-browser clean

help:
	@echo 'make segment [CT=scan OUT=folder]   segment a CT; without CT the sample CT, fetched once'
	@echo 'make test                           linters, types, unit and end-to-end tests, module self-tests'
	@echo 'make test-wheel                     the package as an ordinary wheel in an empty environment'
	@echo 'make slicer-test SLICER=path [CT=scan] self-tests and a driven tour in an installed Slicer, pictures into build/tour'
	@echo 'make test-web                       the pages: script linted, typed, tested; in Chromium and Firefox'
	@echo 'make install-browser                what test-web needs from Debian: Chromium, Firefox, Node.js'
	@echo 'make docs                           the documentation of Docs/ as a site in build/docs'
	@echo 'make validate [DATA=folder]         validation figures, into Docs/accuracy.md and the README'
	@echo 'make benchmark                      seconds per stage, peak memory, throughput of training, into Docs/speed.md'
	@echo 'make fire                           mutated files, failing disks, kills, long use, load: figures into Docs/reliability.md (Linux)'
	@echo 'make train-demo                     a short training on the sample CT: curves, a bundle, its evaluation'
	@echo 'make release-check                  what the Extensions Index asks for, packaged files, the size of the repository'
	@echo 'make clean                          remove the virtual environment and caches'

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo 'error: Python 3.10 to 3.13 is needed: make PYTHON=python3.12 ...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(PY)
	@echo 'Installing into $(VENV) (once)...'
	$(PIP) install $(TORCH)
	$(PIP) install -e .
	@touch $(INSTALLED)

# trame-slicer serves only Slicer's terminology files; with its dependencies it would downgrade slicer-core.
$(INSTALLED_TEST): $(INSTALLED)
	$(PIP) install -e '.[test,train]'
	$(PIP) install --no-deps trame-slicer==2.0.0
	@touch $(INSTALLED_TEST)

install: $(INSTALLED)

install-test: $(INSTALLED_TEST)

$(SAMPLE): | $(INSTALLED)
	@$(LLC) sample -o sample

sample: $(SAMPLE)

# The sample's result is ours to replace; anybody else's only with FLAGS=--force.
segment: $(INSTALLED) $(if $(CT),,$(SAMPLE))
ifeq ($(strip $(CT)),)
	@$(LLC) segment "$(SAMPLE)" -o "$(or $(OUT),segmentation/sample)" $(if $(OUT),,--force) $(FLAGS)
else
	@name=$$(basename "$(CT)" | sed -E 's/\.(nii|nii\.gz|nrrd|nhdr|mha|mhd)$$//'); \
	  out="$(OUT)"; $(LLC) segment "$(CT)" -o "$${out:-segmentation/$$name}" $(FLAGS)
endif

lint: $(INSTALLED_TEST)
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) Testing/tools/lint_slicer_names.py

# As many processes as processors, with one thread each: processes of several threads would wait for each other. The files
# of Testing, with the longest tests, come first.
test: lint
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(PY) -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
	$(PY) Testing/tools/run_selftest.py

# An ordinary wheel, made from the source distribution, in an environment of its own and run from another folder.
test-wheel: $(INSTALLED_TEST) $(SAMPLE)
	@rm -rf build/wheel
	$(PY) -m build --outdir build/wheel . > /dev/null
	$(PY) Testing/tools/check_wheel.py build/wheel
	$(PYTHON) -m venv build/wheel/env
	build/wheel/env/$(BIN)/python -m pip --disable-pip-version-check -q install $(TORCH)
	build/wheel/env/$(BIN)/python -m pip --disable-pip-version-check -q install build/wheel/*.whl
	cd build/wheel && env/$(BIN)/liver-lesion-cascade segment ../../$(SAMPLE) -o result
	@test -s build/wheel/result/report.html

# In a Slicer with the extension PyTorch, and PyTorch installed in it. Nothing of this checkout's environment is used.
slicer-test:
	@test -x "$(SLICER)" || { echo 'error: name a Slicer: make slicer-test SLICER=/path/to/Slicer' >&2; exit 1; }
	"$(SLICER)" --testing --no-splash --additional-module-paths "$(CURDIR)/LiverLesionCascade" "$(CURDIR)/LiverLesionCascadeTraining" \
	  --python-script Testing/slicer_tour/in_slicer.py build/tour $(if $(CT),"$(CT)")

$(INSTALLED_WEB): $(INSTALLED_TEST) Testing/web/package-lock.json
	$(PIP) install -e '.[web]'
	cd Testing/web && npm ci --no-audit --no-fund
	@touch $(INSTALLED_WEB)

# A browser that is missing is said loudly; with CI set it is an error.
test-web: $(INSTALLED_WEB)
	cd Testing/web && npm run --silent lint && npm run --silent types && npm test --silent
	$(PY) -m pytest -s Testing/web

install-browser:
	@set -e; missing=; for each in chromium firefox-esr node:nodejs npm; do \
	  command -v "$${each%:*}" >/dev/null || missing="$$missing $${each#*:}"; done; \
	if [ -n "$$missing" ]; then \
	  root=; [ "$$(id -u)" = 0 ] || root=sudo; $$root apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends $$missing fonts-dejavu-core; fi

# Strict: a dead link fails. The variable silences a notice of the theme about MkDocs' future.
docs: $(INSTALLED_TEST)
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo 'The site is in build/docs: open build/docs/index.html'

validate: $(INSTALLED)
	@mkdir -p build
	@$(LLC) evaluate "$(DATA)/lits/val" --stages > build/validation.md
	@$(FIGURES) Docs/accuracy.md validation < build/validation.md
	@$(FIGURES)

benchmark: $(INSTALLED_TEST)
	@mkdir -p build
	@for name in segmentation grids panel training; do \
	  QT_QPA_PLATFORM=offscreen $(PY) Testing/benchmarks/benchmark_$$name.py > build/$$name.md && \
	  $(FIGURES) Docs/speed.md $$name < build/$$name.md || exit 1; done

# Figures come into the page even where something was found; then it fails. What cannot be run here keeps its figures.
fire: $(INSTALLED_TEST)
	@mkdir -p build
	@for name in $(PART); do \
	  PYTHONPATH=Testing $(PY) -m fire $$name --share $(SHARE) > build/$$name.md || failed=1; \
	  $(FIGURES) Docs/reliability.md $$name < build/$$name.md || failed=1; done; test -z "$$failed"

release-check: $(INSTALLED_TEST)
	@$(PY) Testing/tools/release_check.py

# One patient's scan cut into three: it shows that training works, not how good it gets.
train-demo: $(INSTALLED) $(SAMPLE)
	@rm -rf demo
	@$(PY) Testing/tools/make_demo_cases.py sample demo/cases
	@$(LLC) train demo/cases/train --validation demo/cases/val -o demo/run --recipe demo
	@$(LLC) evaluate demo/cases/val --bundle demo/run/bundle
	@echo 'Curves: demo/run/curves.svg. Use the bundle: make segment FLAGS="--bundle demo/run/bundle"'

clean:
	rm -rf $(VENV) sample demo build .pytest_cache .mypy_cache .ruff_cache .hypothesis
