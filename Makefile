# Every way to run this checkout. Nothing outside it is touched but, for tests, a few Debian packages (a browser, Java
# with Maven, Redis, Prometheus, PostgreSQL), where they are missing and can be installed.

PYTHON ?= python3
KILLS ?= 5
MINUTES ?= 10
VENV := .venv
RUNTIME := $(VENV)/.runtime-installed
TOOLS := $(VENV)/.tools-installed
SUITE := .cache/json-test-suite
KAFKA := .cache/kafka
KEYCLOAK := .cache/keycloak
PEERS := .cache/peers

.DEFAULT_GOAL := help
.PHONY: help demo install lint test test-long compose-test bench bench-peers bench-latency bench-growth bench-moves bench-intake bench-me bench-boards bench-loop quality soak lock browser kafka keycloak redis prometheus postgresql dashboards pictures-grafana
.DELETE_ON_ERROR:
# Images of Python often set it. Locked packages come without bytecode: each process would compile all it loads anew.
unexport PYTHONDONTWRITEBYTECODE

help:  ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(RUNTIME)  ## Service, simulated plant and board on this machine; prints the address, Ctrl-C stops it
	@exec $(VENV)/bin/scorestream demo

install: $(RUNTIME)  ## Environment in .venv with the scorestream command in it
	@echo "ready: $(VENV)/bin/scorestream --help"

lint: $(TOOLS)  ## ruff (rules, import direction, format) and mypy --strict on source and tests
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy

# Two files at a time: most of the time is waiting for processes that tests start. In the order of the tree, or the files
# with the fewest tests, which are the longest, would come last, one after the other.
test: $(TOOLS) $(SUITE) browser kafka redis prometheus postgresql  ## All tests; sets up what they need
	@exec $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: $(TOOLS) kafka redis prometheus keycloak  ## Tests that wait for minutes: alerts told once, whatever else is killed
	@exec $(VENV)/bin/python -m pytest -n 2 -m long $(ARGS)

compose-test: $(TOOLS) kafka redis prometheus  ## docker-compose.yml and Dockerfile, run as local processes
	@exec $(VENV)/bin/python -m pytest tests/e2e/test_compose.py tests/e2e/test_compose_file.py tests/e2e/test_dockerfile.py -m "long or not long" $(ARGS)

bench: $(TOOLS)  ## Speed and memory, as ratios against a plain Faust agent and a read-only ceiling
	@exec $(VENV)/bin/python -m tests.bench $(ARGS)

bench-peers: $(TOOLS) kafka  ## The same job on Faust, Quix Streams, Kafka Streams, Flink, Bytewax; brings them first (1 GB)
	@scripts/peers.sh $(PYTHON) $(PEERS)
	@exec $(VENV)/bin/python -m tests.bench.peers $(ARGS)

bench-latency: $(TOOLS) kafka  ## Event to visible score at half of the job's rate, five minutes on each broker; ARGS=--smoke
	@exec $(VENV)/bin/python -m tests.bench.latency $(ARGS)

bench-growth: $(TOOLS) kafka  ## Cost per event from 1,000 to 1,000,000 people, with 1 and 2 workers; restarts; ARGS=--smoke
	@exec $(VENV)/bin/python -m tests.bench.growth $(ARGS)

bench-moves: $(TOOLS) kafka  ## How long scoring stands still while workers come, go, die and come back
	@exec $(VENV)/bin/python -m tests.bench.moves $(ARGS)

bench-intake: $(TOOLS) kafka  ## Events by HTTP into the log: rate, answers, and what screens notice; ARGS=--smoke
	@exec $(VENV)/bin/python -m tests.bench.intake $(ARGS)

bench-me: $(TOOLS)  ## 200 people a second open /me: how long each waits, CPU of a page; ARGS=--smoke
	@exec $(VENV)/bin/python -m tests.bench.me_page $(ARGS)

bench-boards: $(TOOLS)  ## A thousand screens on one web process, half of which never read: event to screen, CPU; ARGS=--smoke
	@exec $(VENV)/bin/python -m tests.bench.boards $(ARGS)

bench-loop: $(TOOLS)  ## How long a worker's loop does one thing and answers nobody, and what that is; ARGS=--smoke
	@exec $(VENV)/bin/python -m tests.bench.blocks $(ARGS)

quality: $(TOOLS)  ## How often alert rules speak for nothing, and how soon for a reason: simulated shifts
	@exec $(VENV)/bin/python -m tests.quality $(ARGS)

ifeq ($(BROKER),kafka)
soak: $(TOOLS) kafka redis
	@exec $(VENV)/bin/python -m tests.soak --broker kafka --minutes $(MINUTES) $(ARGS)
else
soak: $(TOOLS)  ## Everything that dies, and the invariants: KILLS=n rounds; on a real broker: BROKER=kafka MINUTES=n
	@exec $(VENV)/bin/python -m tests.soak --kills $(KILLS) $(ARGS)
endif

lock: $(VENV)/.created  ## Resolve the locked dependencies anew, with hashes, for every supported Python
	@scripts/lock.sh $(VENV)/bin/python

dashboards: $(TOOLS)  ## Write deploy/grafana/dashboards anew from dashboards/grafana
	@exec $(VENV)/bin/python -m dashboards.grafana

pictures-grafana: $(TOOLS) browser prometheus  ## The README's pictures of the boards in Grafana, from a real Prometheus; four minutes
	@exec $(VENV)/bin/python -m tests.pictures

browser:
	@scripts/browser.sh

kafka:
	@scripts/kafka.sh $(KAFKA)

keycloak:
	@scripts/keycloak.sh $(KEYCLOAK)

redis:
	@scripts/redis.sh

prometheus:
	@scripts/prometheus.sh

postgresql:
	@scripts/postgresql.sh

$(VENV)/.created:
	@scripts/create_environment.sh $(PYTHON) $(VENV)
	@touch $@

$(RUNTIME): requirements.lock pyproject.toml $(VENV)/.created
	@scripts/install.sh $(VENV)/bin/python requirements.lock
	@touch $@

$(TOOLS): requirements-dev.lock $(RUNTIME)
	@scripts/install.sh $(VENV)/bin/python requirements-dev.lock
	@touch $@

$(SUITE): scripts/json_test_suite.sh
	@scripts/json_test_suite.sh $@
