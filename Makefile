# flarecast: a target = a stage of the chain. `make help` lists them.
#
#   make train evaluate                  the simulated Sun, from nothing to a table of scores
#   make train evaluate RUN=disk         NOAA's daily record, downloaded to data/raw/disk
#   make train evaluate RUN=disk RAW=folder/with/NOAA/files
#   make report RUN=disk SUNSPOTS=SN_m_tot_V2.0.csv
#   make compare RUN=disk OTHERS="data/runs/other forecasts.csv"
#   make test

RUN ?= simulated
RAW ?=
DEVICE ?= auto
WORKERS ?= 1
PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= dev
CONSTRAINTS ?= constraints.txt
PIP_FLAGS ?=
OTHERS ?=
SUNSPOTS ?=

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

ifneq ($(words $(RUN))$(findstring /,$(RUN))$(filter . ..,$(RUN)),1)
$(error RUN='$(RUN)': expected the name of a run, one of $(basename $(notdir $(wildcard configs/*.toml))))
endif

BIN := $(VENV)/bin
FLARECAST := $(BIN)/flarecast
INSTALLED := $(VENV)/.installed-$(EXTRAS)
CONFIG := configs/$(RUN).toml
WINDOWS := data/windows/$(RUN).nc
RAW_STAMP := data/windows/$(RUN).raw
RUN_DIR := data/runs/$(RUN)
# Named once, RAW is remembered in the first line of its stamp. A run with a [download] needs none: it fetches.
FETCHED := $(if $(shell grep -s '^\[download\]' $(CONFIG)),data/raw/$(RUN))
REMEMBERED := $(shell head -n 1 $(RAW_STAMP) 2>/dev/null)
KNOWN_RAW := $(or $(RAW),$(REMEMBERED),$(FETCHED))
DOWNLOAD := $(if $(RAW),,$(shell [ -z "$(REMEMBERED)" ] || [ "$(REMEMBERED)" = "$(CURDIR)/$(FETCHED)" ] && echo $(FETCHED)))

# evaluate.references names files, or readers for the same RAW, whose forecasts the chain then reads itself.
REFERENCES := $(shell $(PYTHON) scripts/references.py $(CONFIG) $(RUN_DIR))
READ := $(filter $(RUN_DIR)/%.nc,$(REFERENCES))

.PHONY: setup ingest split audit train forecast calibrate evaluate report compare test test-slow lint bench clean help FORCE

setup: $(INSTALLED) ## make .venv and install flarecast with its tools
$(INSTALLED): pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "flarecast needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check $(PIP_FLAGS) -c $(CONSTRAINTS) -e '.[$(EXTRAS)]'
	@touch $@

$(CONFIG):
	@echo "$(CONFIG): no such run; RUN is one of $(basename $(notdir $(wildcard configs/*.toml)))" >&2; exit 1

data/raw/$(RUN)/flarecast-download.json: $(CONFIG) | $(INSTALLED)
	$(FLARECAST) download from-config -c $(CONFIG) -o $(@D) \
	  || { echo "if you have the files elsewhere: make RUN=$(RUN) RAW=folder" >&2; exit 1; }
	@touch $@

# Rewritten only when RAW or what lies in it changes; make then redoes what was made of it.
$(RAW_STAMP): $(DOWNLOAD:%=%/flarecast-download.json) FORCE
	+@$(PYTHON) scripts/raw_stamp.py $@ "$(RAW)" $(DOWNLOAD)

ingest: $(WINDOWS) ## raw archives -> windows
$(WINDOWS): $(CONFIG) $(RAW_STAMP) | $(INSTALLED)
	$(FLARECAST) ingest from-config $(if $(KNOWN_RAW),"$(KNOWN_RAW)") -c $(CONFIG) -o $@

split: $(RUN_DIR)/split.nc ## a role for every window
$(RUN_DIR)/split.nc: $(WINDOWS) $(CONFIG) | $(INSTALLED)
	$(FLARECAST) split $(WINDOWS) -c $(CONFIG) -o $@

$(RUN_DIR)/environment.json: $(RUN_DIR)/split.nc $(CONFIG) | $(INSTALLED)
	$(FLARECAST) record $(WINDOWS) $< -c $(CONFIG) --device $(DEVICE) -o $(RUN_DIR)

audit: $(RUN_DIR)/audit.json ## look for leaks between roles
$(RUN_DIR)/audit.json: $(RUN_DIR)/split.nc $(CONFIG) | $(INSTALLED)
	$(FLARECAST) audit $(WINDOWS) $< -c $(CONFIG) -o $@

train: $(RUN_DIR)/model/model.json ## fit the model
$(RUN_DIR)/model/model.json: $(RUN_DIR)/split.nc $(RUN_DIR)/audit.json $(RUN_DIR)/environment.json $(CONFIG) | $(INSTALLED)
	$(FLARECAST) train $(WINDOWS) $< -c $(CONFIG) --device $(DEVICE) --workers $(WORKERS) -o $(@D)

forecast: $(RUN_DIR)/forecasts.nc ## probabilities for all windows
$(RUN_DIR)/forecasts.nc: $(RUN_DIR)/model/model.json | $(INSTALLED)
	$(FLARECAST) forecast $(WINDOWS) $(<D) --split $(RUN_DIR)/split.nc --device $(DEVICE) -o $@

calibrate: $(RUN_DIR)/calibrated.nc ## mend the probabilities
$(RUN_DIR)/calibrated.nc $(RUN_DIR)/calibration.json &: $(RUN_DIR)/forecasts.nc $(CONFIG) | $(INSTALLED)
	$(FLARECAST) calibrate $< -c $(CONFIG) -o $(RUN_DIR)/calibrated.nc

# Forecasts made elsewhere, read from the same RAW: data/runs/<run>/<reader>.nc
$(READ): $(RUN_DIR)/%.nc: $(RAW_STAMP) | $(INSTALLED)
	$(FLARECAST) read-forecasts $* $(if $(KNOWN_RAW),"$(KNOWN_RAW)") -o $@

evaluate: $(RUN_DIR)/scores.json ## score the forecasts, print the table and the paths
	@cat $(RUN_DIR)/scores.txt
	@printf '%-14s %s\n' windows $(WINDOWS) run $(RUN_DIR) model $(RUN_DIR)/model forecasts $(RUN_DIR)/calibrated.nc \
	  scores $(RUN_DIR)/scores.json
$(RUN_DIR)/scores.json $(RUN_DIR)/scores.txt &: $(RUN_DIR)/calibrated.nc $(REFERENCES) $(CONFIG) | $(INSTALLED)
	$(FLARECAST) evaluate $< $(REFERENCES:%=--reference %) -c $(CONFIG) -o $(RUN_DIR)/scores.json > $(RUN_DIR)/scores.txt

report: $(RUN_DIR)/report.html ## one page that people read, with a model card and figures
	@printf '%-14s %s\n' report $< card $(RUN_DIR)/MODEL_CARD.md figures $(RUN_DIR)/figures
# Whether an older page was drawn with SUNSPOTS is not known: where they are named it is drawn again.
$(RUN_DIR)/report.html: $(RUN_DIR)/scores.json $(if $(SUNSPOTS),FORCE) | $(INSTALLED)
	$(FLARECAST) report $(RUN_DIR) $(if $(SUNSPOTS),--sunspots "$(SUNSPOTS)")

compare: $(RUN_DIR)/calibrated.nc $(REFERENCES) | $(INSTALLED) ## who is better at what: the run, its references, OTHERS
	$(FLARECAST) compare $(RUN_DIR) $(OTHERS) $(REFERENCES:%=--reference %) --baseline climatology --baseline persistence \
	  -c $(CONFIG) -o $(RUN_DIR)/compare.json --csv $(RUN_DIR)/compare.csv

test: $(INSTALLED) ## the tests, without network and without a GPU
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-slow: $(INSTALLED) ## studies and full-size checks
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile -m slow

lint: $(INSTALLED) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED) ## speed and memory, as ratios to named alternatives
	for script in scripts/bench_*.py; do echo "== $$script"; $(BIN)/python $$script; done

clean: ## remove what was made for RUN (not RAW)
	rm -rf $(RUN_DIR) $(WINDOWS) $(RAW_STAMP)

help: ## this list
	@echo "make TARGET [RUN=$(RUN)] [RAW=folder] [DEVICE=auto|cpu|cuda] [WORKERS=1]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
	@echo "runs: $(basename $(notdir $(wildcard configs/*.toml)))"
