# `make demo` and `make test` do all set-up themselves. A finished step takes no time.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test docs faults soak fuzz setup streams build tests unit
SHELL := bash
export PATH := $(PATH):$(HOME)/.cargo/bin
# The program sets this itself. Tests and training load ONNX Runtime without the program; src/cli/reexec.rs says why it is set.
export ORT_DISABLE_TELEMETRY := 1

# cargo chooses crate features for all packages of a call together. So each profile is built by one call for the whole workspace
# and the programs are started by path: `cargo run -p sample-streams` would choose other features and compile many crates again.
target := $(abspath $(or $(CARGO_TARGET_DIR),target))
release := $(target)/release
debug := $(target)/debug

help:
	@echo "make demo         set up, then watch three sample cameras for about a minute and print each alert"
	@echo "make demo KEEP=1  the same, until Ctrl-C"
	@echo "make test         set up, then check format and lints, run all tests and verify the systemd unit"
	@echo "make docs         build the documentation of the code; warnings are errors"
	@echo "make faults       run the fault tests and print their table; LONG=1 runs the number of rounds that the docs report"
	@echo "make soak         run four cameras and a broker that fail at random; MINUTES=60"
	@echo "make fuzz         run each fuzz target for five minutes; TARGET=site_file MINUTES=5 runs one (see tests/fuzz)"
	@echo "make build        set up, then build the daemon and the sample cameras in target/release"
	@echo "make setup        only install system packages and ONNX Runtime"
	@echo "make streams      only draw the sample streams"

demo: streams
	$(release)/havenwacht demo --config config/demo.toml $(if $(KEEP),--keep)

# clippy-driver is the compiler here: it denies warnings while it builds, so the project's crates are compiled once, not checked and
# then compiled.
test faults soak: export RUSTC_WORKSPACE_WRAPPER := clippy-driver
test faults soak: export CLIPPY_ARGS := -Dwarnings__CLIPPY_HACKERY__
# Property tests use the same input in every run, so a failure can be repeated. Another number tries other input.
test: export PROPTEST_RNG_SEED ?= 1
test: setup unit
	cargo fmt --all --check
	$(MAKE) --no-print-directory tests
	$(debug)/sample-scenes
	$(debug)/sample-scenes --variants 1 --only day --seconds 16 --out sample-streams/out/variants
	$(debug)/sample-scenes --camera-faults --out sample-streams/out/camera-faults
	@rm -rf $(scoreboard)
	cargo test --workspace --locked
	@echo; cat $(scoreboard)/*.row

# Apart from `make test`: cargo checks every dependency once more for it, which takes minutes from cold.
docs: setup
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked

# Every target of the workspace in the profile of the tests.
tests: setup
	cargo build --workspace --all-targets --locked

# Fails when a row is above its limit; prints the table either way.
scoreboard := $(target)/scoreboard
faults: tests
	@rm -rf $(scoreboard)
	$(debug)/sample-scenes
	$(if $(LONG),HAVENWACHT_LONG=1 )cargo test --workspace --locked --test faults; result=$$?; \
	echo; cat $(scoreboard)/*.row; exit $$result

soak: tests
	$(debug)/sample-scenes
	HAVENWACHT_SOAK_MINUTES=$(or $(MINUTES),60) cargo test --workspace --locked --test faults -- --nocapture soak::

# On the stable toolchain: without a sanitizer cargo-fuzz needs no other, and this project has no unsafe code.
cargo_fuzz := 0.13.2
fuzz_out := $(target)/fuzz
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

# Draws only the streams that are out of date, and compiles the daemon meanwhile: its compiler alone does not keep two cores busy.
streams: setup
	cargo build --workspace --release --locked --bin sample-scenes --bin sample-cameras
	@$(release)/sample-scenes & drawing=$$!; \
	cargo build --workspace --release --locked; built=$$?; wait $$drawing && exit $$built

# The unit as it will be installed, with a program that exists on this machine in place of the installed one.
unit: setup
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	sed 's|/usr/bin/havenwacht|/bin/true|' systemd/havenwacht.service > "$$folder/havenwacht.service" && \
	systemd-analyze verify --man=no "$$folder/havenwacht.service" && echo "systemd/havenwacht.service: verified"
