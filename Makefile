# Airledger. `make run` shows it at work, `make test` proves it; both set up whatever is missing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
DATA ?= data
PORT ?= 8700
PART ?=
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
PAGE := src/airledger/api/page/index.html
WEB_SOURCES := $(shell find web/src web/index.html web/package.json web/package-lock.json web/vite.config.ts -type f 2>/dev/null)

.PHONY: help setup setup-dev run test accept lint bench clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMPS)/python $(PAGE) $(STAMPS)/warm $(STAMPS)/geo ## Set up .venv/bin/airledger and the page

setup-dev: setup $(STAMPS)/dev ## ... and what tests and lints need

run: ## Everything with a demo band of stations: make run [PORT=8700] [DATA=data]
	@$(MAKE) --no-print-directory --jobs 2 setup
	$(BIN)/airledger up --demo --data $(DATA) --port $(PORT)

test: ## All tests, from nothing
	@$(MAKE) --no-print-directory --jobs 2 setup-dev
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 3 --dist loadfile -q
	npm --prefix web test --silent

accept: setup-dev ## A longer proof: make accept PART=band-embedded|band-grown|crash-embedded|crash-grown|fresh|real_lists|watching_year|sqlite_crowd|screenshots|globe|programme
	$(BIN)/python -m pytest tests/acceptance -m acceptance -q -s $(if $(PART),-k "$(subst -, and ,$(PART))",)

lint: setup-dev ## Style, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	npm --prefix web run --silent lint
	npm --prefix web run --silent typecheck

bench: setup-dev ## Measure, and write bench/RESULTS.md
	$(BIN)/python -m bench.recognition .cache/bench-recognition
	$(BIN)/python -m bench.listening
	$(BIN)/python -m bench.scale .cache/bench-scale --hours 1000

clean: ## Remove what set-up made (data stays)
	rm -rf $(VENV) $(STAMPS) geo/node_modules web/node_modules src/airledger/api/page

$(STAMPS)/python: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --requirement requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --requirement requirements-dev.txt
	@touch $@

$(STAMPS)/warm: $(STAMPS)/python $(wildcard src/airledger/fingerprint/*.py)
	$(BIN)/airledger warm
	@touch $@

$(STAMPS)/geo: geo/package.json geo/package-lock.json $(STAMPS)/python
	npm --prefix geo ci --silent --no-audit --no-fund
	$(BIN)/airledger geo update --shared --from geo/node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb
	@touch $@

$(STAMPS)/node: web/package.json web/package-lock.json
	npm --prefix web ci --silent --no-audit --no-fund
	@mkdir -p $(STAMPS) && touch $@

$(PAGE): $(STAMPS)/node $(WEB_SOURCES)
	npm --prefix web run --silent build
	@touch $@
