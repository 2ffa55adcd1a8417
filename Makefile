.PHONY: help setup build demo emulator test readers torture bench check clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1|\2/p' Makefile | column -t -s '|'

setup: ## install what the build needs, or say what is missing
	@scripts/setup.sh

build: setup ## dist/pod-agent (static) and dist/launch
	@scripts/build.sh

demo: build ## train, stop, train further: the example on this machine
	@scripts/demo.sh

emulator: build ## RunPod without an account: rented pods are containers of this machine
	@scripts/emulator.sh

test: check build ## the checks, then all tests, the whole programs included
	@scripts/test.sh

readers: build ## the commands that read a run, once more through agents: about 10 minutes, as root
	@scripts/test-readers.sh

torture: build ## the agent killed at every call that it makes, full disks, pods taken away: about 45 minutes
	@scripts/torture.sh

bench: build ## the figures, each beside what it replaces: a table and .build/bench.json; up to 20 minutes on a quiet machine
	@scripts/bench.sh

check: setup ## format and scripts, warnings are errors
	@scripts/check.sh

clean: ## remove everything that was built
	rm -rf .build .build-static .build-curl dist .demo .emulator
