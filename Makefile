# Needs make and Python 3.11 or newer. `demo`, `test`, `soak` and `env` make the environment they need in
# .venv; the other targets use it where it is there, else $(PYTHON), and install nothing.

PYTHON ?= python3
FILM ?=
ARGS ?=

VENV := .venv
PY = $(if $(wildcard $(VENV)/bin/python),$(VENV)/bin/python,$(PYTHON))

.PHONY: help demo test soak live-deps env check bench test-gpu golden clean
.DELETE_ON_ERROR:

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: $(VENV)/.base ## upscale a drawn scene, or a few seconds of FILM=path, into out/
	$(VENV)/bin/python benchmarks/demo.py $(if $(FILM),--film "$(FILM)")

test: $(VENV)/.test ## run the tests; ARGS="-k name" goes to pytest
	$(VENV)/bin/python -m pytest $(ARGS)

soak: $(VENV)/.test ## run the long counts: hours
	$(VENV)/bin/python -m pytest -m soak $(ARGS)

live-deps: ## install the real servers and GStreamer that tests of streams use (Debian; as root)
	apt-get install -y --no-install-recommends nginx libnginx-mod-rtmp srt-tools ffmpeg \
	  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	  gstreamer1.0-python3-plugin-loader python3-gst-1.0 gir1.2-gst-plugins-base-1.0 \
	  gir1.2-gst-rtsp-server-1.0

env: $(VENV)/.test ## only make the environment of the tests

check: ## lint, format and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

bench: ## time the hot paths; ARGS="--benchmark-json FILE" goes to pytest
	$(PY) -m pytest benchmarks --benchmark-only $(ARGS)

test-gpu: ## run the tests and measurements that need a GPU, and fail where there is none
	@failed=0; FAIL_WITHOUT_CUDA=1 $(PY) -m pytest -m needs_cuda $(ARGS) || failed=1; \
	$(PY) -m benchmarks.gpu_check || failed=1; exit $$failed

golden: ## rewrite the golden texts and show what changed
	$(PY) -m pytest --rewrite-golden -q $(ARGS)
	git --no-pager diff -- tests

clean: ## remove the environment, caches and results
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vidgen needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; give one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: $(VENV)/.base
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[train,test]'
	@touch $@
