# Silbo: every command a person needs.
#
#   make run     set up, build the release and open the app     (arguments: make run ARGS="--profile B")
#   make test    set up, then everything CI runs
#   make lab     the long proof: NAT lab with the release build, floods, fuzzing, advisories
#   make lab-nat only the NAT lab: a call between two uplinks of every kind, twice; make lab-nat-full: twenty times (hours)
#   make fuzz    only the fuzzing: each decoder for a minute    (arguments: make fuzz ARGS="600 message")
#   make sim     the overlay at scale in virtual time, every scenario at its size (an hour)
#   make bench   timings and CPU figures, judged against their bars
#   make bench-overlay   what supernodes and leaves cost and survive, with real processes
#   make bench-relay     what a relayed packet costs, against coturn and a bare forwarder
#   make package a Debian package, installed and tried in a namespace
#   make setup   only install what `make run` needs (`make test` installs its own tools)

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)

# Words of one scenario are joined by colons.
SIMULATIONS := directory:--nodes:10000 directory:--nodes:100000 churn:--nodes:2000:--days:30 churn:--nodes:10000:--days:3 \
	sybil:--fraction:0.33 eclipse:--ids:45 squat rollback equivocate partition skype-2007 skype-2010 free-riders

.PHONY: setup setup-test run test lab lab-nat lab-nat-full fuzz sim bench bench-overlay bench-relay package release

setup:
	@bash .ci/setup.sh run

setup-test:
	@bash .ci/setup.sh test

run: setup
	cargo run --release --locked --package app --bin silbo -- $(ARGS)

test: setup-test
	@bash .ci/test.sh

lab: setup-test release
	@bash .ci/deny.sh advisories
	$(TARGET)/release/nat
	$(TARGET)/release/setup
	$(TARGET)/release/shapes
	$(TARGET)/release/blocked
	$(TARGET)/release/portmap
	$(TARGET)/release/outlive
	$(TARGET)/release/guess
	$(TARGET)/release/dead_ends
	$(TARGET)/release/stranger
	$(TARGET)/release/links
	$(TARGET)/release/pictures
	$(TARGET)/release/video
	$(TARGET)/release/voice
	$(TARGET)/release/room
	$(TARGET)/release/cards
	$(TARGET)/release/flood
	$(TARGET)/release/volunteer
	@bash .ci/fuzz.sh
	cargo bench --quiet --locked --package relay --bench load -- flood
	cargo bench --quiet --locked --package relay --bench load -- soak --minutes 1
	cargo bench --quiet --locked --package relay --bench load -- chromium

lab-nat: setup-test release
	$(TARGET)/release/nat

lab-nat-full: setup-test release
	$(TARGET)/release/nat --runs 20 --svg assets/nat-grid.svg

fuzz: setup-test
	@bash .ci/fuzz.sh $(ARGS)

sim: setup-test release
	@missed=0; for scenario in $(SIMULATIONS); do \
		echo "== $${scenario//:/ }"; $(TARGET)/release/sim $${scenario//:/ } || missed=1; \
	done; exit $$missed

bench: setup-test release
	$(TARGET)/release/bench
	$(TARGET)/release/hour
	$(TARGET)/release/window

bench-overlay: setup-test release
	$(TARGET)/release/overlay

bench-relay: setup-test
	@cargo bench --quiet --locked --package relay --bench load

package: setup-test
	@bash .ci/package.sh

release:
	@bash .ci/venv.sh
	cargo build --release --locked --workspace --bins
