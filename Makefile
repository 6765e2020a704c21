# Two commands: `make demo` and `make test`. Both do all set-up themselves and are quick when it is done.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test faults soak fuzz setup streams build unit
SHELL := bash
export PATH := $(PATH):$(HOME)/.cargo/bin
# The program sets this itself. Tests and training load ONNX Runtime without the program; src/cli/reexec.rs says why it is set.
export ORT_DISABLE_TELEMETRY := 1

help:
	@echo "make demo         set up, then watch three sample cameras for about a minute and print each alert as it comes"
	@echo "make demo KEEP=1  the same, until Ctrl-C"
	@echo "make test         set up, then format, clippy, unit, integration and fault tests, and the systemd unit"
	@echo "make faults       the fault scoreboard: each fault, and what came of it; LONG=1 for as many rounds as the README reports"
	@echo "make soak         four cameras and a broker that fail at random; MINUTES=60"
	@echo "make fuzz         five minutes of random input for each fuzz target; TARGET=site_file MINUTES=5 for one (tests/fuzz)"
	@echo "make setup        only fetch what is needed: system packages, ONNX Runtime, models, sample material"
	@echo "make streams      only render the sample streams"

demo: streams
	cargo run --quiet --release --locked -- demo --config config/demo.toml $(if $(KEEP),--keep)

# Clippy is the compiler here: it denies warnings while it builds, and the crates of others are compiled once in place of being
# checked first and compiled then, which was an eighth of a cold run.
test: export RUSTC_WORKSPACE_WRAPPER := clippy-driver
test: export CLIPPY_ARGS := -Dwarnings__CLIPPY_HACKERY__
# The same input for the property tests in every run, so that a red run is red again; any other number hunts elsewhere.
test: export PROPTEST_RNG_SEED ?= 1
test: setup unit
	cargo fmt --all --check
	cargo build --workspace --all-targets --locked
	cargo run --quiet --locked -p sample-streams --bin sample-scenes
	cargo run --quiet --locked -p sample-streams --bin sample-scenes -- --variants 1 --only day --seconds 16 --out sample-streams/out/variants
	cargo run --quiet --locked -p sample-streams --bin sample-scenes -- --camera-faults --out sample-streams/out/camera-faults
	@rm -rf $(scoreboard)
	cargo test --workspace --locked
	@echo; cat $(scoreboard)/*.row

# Fails when a row is above its limit; prints the table either way.
scoreboard := $(or $(CARGO_TARGET_DIR),target)/scoreboard
faults: setup
	@rm -rf $(scoreboard)
	cargo build --workspace --locked
	cargo run --quiet --locked -p sample-streams --bin sample-scenes
	$(if $(LONG),HAVENWACHT_LONG=1 )cargo test --locked --test faults; came=$$?; \
	echo; cat $(scoreboard)/*.row; exit $$came

soak: setup
	cargo build --workspace --locked
	cargo run --quiet --locked -p sample-streams --bin sample-scenes
	HAVENWACHT_SOAK_MINUTES=$(or $(MINUTES),60) cargo test --locked --test faults -- --nocapture soak::

# On the stable toolchain: without a sanitizer cargo-fuzz needs no other, and there is no unsafe code of ours to watch.
cargo_fuzz := 0.13.2
fuzz_out := $(abspath $(or $(CARGO_TARGET_DIR),target))/fuzz
fuzz: setup
	@cargo fuzz --version 2>/dev/null | grep -qxF 'cargo-fuzz $(cargo_fuzz)' || \
	cargo install cargo-fuzz --locked --force --version $(cargo_fuzz)
	@set -e; for target in $(or $(TARGET),site_file model_heads payloads cli_filters); do \
		rm -rf $(fuzz_out)/tmp; mkdir -p $(fuzz_out)/{tmp,{corpus,crashes}/$$target}; \
		tests/fuzz/seeds.sh $$target $(fuzz_out)/seeds/$$target; \
		TMPDIR=$(fuzz_out)/tmp cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none --codegen-units 16 \
			--target-dir $(fuzz_out) $$target $(fuzz_out)/corpus/$$target $(fuzz_out)/seeds/$$target -- \
			-max_total_time=$$((60 * $(or $(MINUTES),5))) -timeout=20 -artifact_prefix=$(fuzz_out)/crashes/$$target/; \
	done

setup:
	@models/setup.sh

# The daemon and the sample cameras.
build: setup
	cargo build --workspace --release --locked

# Draws only what is out of date.
streams: build
	cargo run --quiet --release --locked -p sample-streams --bin sample-scenes

# The unit as it will be installed, with a program that exists on this machine in place of the installed one.
unit: setup
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	sed 's|/usr/bin/havenwacht|/bin/true|' systemd/havenwacht.service > "$$folder/havenwacht.service" && \
	systemd-analyze verify --man=no "$$folder/havenwacht.service" && echo "systemd/havenwacht.service: verified"
