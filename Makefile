# make demo         raw synthetic tiles to an aligned volume, with its accuracy
# make test         the tests                  make check   lint, types and tests
# make integration  browser and contract tests make bench   the measured tables
# make docs         regenerate the generated documents

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed

.PHONY: demo test check lint format integration bench docs clean

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY)
	$(BIN)/rendermodules demo --out demo

test: $(READY)
	$(BIN)/python -m pytest -n auto

check: lint
	$(BIN)/python -m mypy rendermodules
	$(BIN)/python -m pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

integration: $(READY)
	$(BIN)/python -m pip install --quiet --requirement integration_tests/requirements.txt
	command -v chromium || (apt-get update && apt-get install --yes chromium)
	$(BIN)/python -m pytest integration_tests

# the viewer's table needs a browser (make integration) and the stitching table a folder of tiles
bench: $(READY)
	for table in rendering service matching solver mipmaps importing stack_modules synthetic; do \
		echo; echo "== benchmarks/$$table.py"; $(BIN)/python benchmarks/$$table.py || exit 1; done

docs: $(READY)
	$(BIN)/python -m rendermodules.command.documents .
	$(BIN)/python -m rendermodules.render_ws.routes_document

clean:
	rm -rf $(VENV) build *.egg-info
