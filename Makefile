# Targets: `make help`. Everything runs in .venv, offline once that is made.

PROFILE ?= laptop
BACKBONE ?=
SEEDS ?= 1
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
export HF_HUB_OFFLINE ?= $(if $(BACKBONE),0,$(if $(filter paper,$(PROFILE)),0,1))

BIN := .venv/bin
# another backbone is another run: it gets folders of its own, as in paper_utils/profiles.py
BUILD := build/$(PROFILE)$(if $(BACKBONE),+$(notdir $(BACKBONE:%/=%)))
OPTIONS := --profile $(PROFILE) $(if $(BACKBONE),--backbone $(BACKBONE))
# progress bars only where someone looks
QUIETLY := test -t 2 || export TQDM_DISABLE=1;
# what a notebook depends on: all but pre-training and the commands around a run
APART := strokes textures patterns sittings pretraining summary execute reference readme benchmark benchmarking benchmark_rendering benchmark_training benchmark_ablation benchmark_peers study card folders reading png report
ROOMS := $(filter-out $(APART:%=paper_utils/%.py),$(wildcard paper_utils/*.py)) paper_utils/explorer.html
NOTEBOOKS := $(basename $(notdir $(sort $(wildcard notebooks/0*.py))))
STARTS := $(patsubst %,$(BUILD)/study/%.json,$(wordlist 2,$(SEEDS),lora_1 lora_2 lora_3))
EXECUTED := $(NOTEBOOKS:%=$(BUILD)/%.ipynb)
SOURCES := $(shell git ls-files paper_utils notebooks tests data Makefile .ci conftest.py '*.txt' '*.toml' '*.yml' '*.md' 2>/dev/null)

.DELETE_ON_ERROR:
.PHONY: help figures figure-1 figure-2 figure-3 figure-4 figure-5 figure-6 figure-7 figure-8 setup test always lab status \
	bench study backbone reference report clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo "  make figure-N    figure N of the paper, 1 to 8, and what it needs"
	@echo "Options: PROFILE=smoke|laptop|paper (now $(PROFILE)), BACKBONE=folder or Hugging Face name, SEEDS=1|2|3 (starts that verdicts are held against),"
	@echo "  PYTHON=python3.11"

figures: $(BUILD)/results.stamp ## every figure of the paper, into figures/$(PROFILE)

setup: .venv/ready ## the virtual environment, from pinned requirements
.venv/ready: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: Python 3.11 or newer is needed, $(PYTHON) is not; install it or say make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up .venv (once, some minutes)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements.txt -c constraints.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

$(BUILD)/%.ipynb: notebooks/%.py $(ROOMS) $(wildcard data/backbone/*.safetensors data/backbone/*.json) .venv/ready
	@$(BIN)/python -m paper_utils.execute $< $(OPTIONS)

# who needs whose results
$(BUILD)/02_finetune_vit.ipynb $(BUILD)/07_claims_ledger.ipynb: $(wildcard data/reference/study/*.json $(BUILD)/study/*.json) $(STARTS)
ifneq ($(STARTS),)
# other starts of the fine-tuning, a quarter of an hour each, for which SEEDS=3 asks; else the shipped ones count
$(STARTS): $(BUILD)/study/%.json: $(ROOMS) | .venv/ready
	@$(QUIETLY) $(BIN)/python -m paper_utils.study $(OPTIONS) --only $*
	@touch $@
endif
$(BUILD)/03_attention_maps.ipynb $(BUILD)/04_head_ablation.ipynb: $(BUILD)/02_finetune_vit.ipynb
$(BUILD)/05_prediction_shift.ipynb: $(BUILD)/04_head_ablation.ipynb
$(BUILD)/06_monosemantic_gallery.ipynb: $(BUILD)/03_attention_maps.ipynb $(BUILD)/04_head_ablation.ipynb
$(BUILD)/07_claims_ledger.ipynb: $(filter-out $(BUILD)/07%,$(EXECUTED)) data/claims.json

$(BUILD)/results.stamp: $(EXECUTED) paper_utils/summary.py
	@$(BIN)/python -m paper_utils.summary results $(OPTIONS)
	@touch $@

figure-2: $(BUILD)/01_generate_chirps.ipynb
figure-1 figure-6 figure-7: $(BUILD)/03_attention_maps.ipynb
figure-3: $(BUILD)/05_prediction_shift.ipynb
figure-4: $(BUILD)/04_head_ablation.ipynb
figure-5 figure-8: $(BUILD)/06_monosemantic_gallery.ipynb

report: figures ## every claim and its verdict on one page, into figures/$(PROFILE)/report.html (and .pdf)
	@$(BIN)/python -m paper_utils.report $(OPTIONS)

test: build/tests.stamp ## all tests; skipped if nothing changed since they passed (FORCE=yes runs them)
build/tests.stamp: $(SOURCES) .venv/ready $(if $(FORCE),always)
	@$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check .
	@rm -rf build/smoke figures/smoke
	@$(MAKE) --no-print-directory figures PROFILE=smoke
	@$(BIN)/python -m pytest -q --nbval
	@touch $@
always:

lab: .venv/ready ## JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=.

status: .venv/ready ## for each figure: fresh, stale or missing, and why
	@$(BIN)/python -m paper_utils.summary status $(OPTIONS)

bench: .venv/ready ## how fast the pieces are and what was tried, into data/benchmark.json (half an hour)
	@$(QUIETLY) $(BIN)/python -m paper_utils.benchmark

study: .venv/ready ## repeats and controls of the fine-tuning, which notebook 2 shows (an hour and more on 2 cores)
	@$(QUIETLY) $(BIN)/python -m paper_utils.study $(OPTIONS)

backbone: .venv/ready ## pre-train the embedded backbone again, into build/backbone (about seven hours on 4 cores)
	@$(QUIETLY) $(BIN)/python -m paper_utils.pretraining

reference: figures study ## ship this laptop run: data/reference, the notebooks' outputs, the README's tables
	@$(MAKE) --no-print-directory figures # notebooks that show the study
	@$(BIN)/python -m paper_utils.reference
	@$(BIN)/python -m paper_utils.readme
	@touch $(EXECUTED) $(BUILD)/results.stamp # shipping touches sources, but changes none

clean: ## remove what runs have made (not .venv, not figures/)
	rm -rf build
