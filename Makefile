# `make demo` is the whole tour; everything is installed from PyPI into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test venv clean

demo: .venv/stamp
	$(BIN)/hwact demo

test: .venv/stamp-test
	$(BIN)/python -m pytest -n auto

venv: .venv/stamp

.venv/stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python must be 3.11 or newer, not $$($(PYTHON) -V 2>&1): set PYTHON=" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/stamp-test: .venv/stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info sim_build
