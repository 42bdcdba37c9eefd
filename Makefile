# SPDX-License-Identifier: LGPL-2.1-or-later
# What a newcomer needs: `make demo` and `make test`. The build itself is
# Meson's: this file installs packages and calls it.
BUILD ?= build/dev
MESON_ARGS ?=

.PHONY: help all demo test clang sanitize tsan bench lint install clean packages-build packages-test packages-lint
help:
	@echo "make demo     build, then a whole phone call on this machine, live"
	@echo "make test     build, then all tests"
	@echo "make clang    everything built with clang 14, warnings as errors"
	@echo "make sanitize  unit, element and fuzz tests under clang's ASan and UBSan"
	@echo "make tsan     the tests with threads under ThreadSanitizer"
	@echo "make bench    build optimised, then the benchmarks"
	@echo "make all      build only"
	@echo "make lint     clang-format and clang-tidy"
	@echo "make install  install (DESTDIR and PREFIX as usual; builds optimised)"
	@echo "make clean    remove build/"

packages-build:
	@tools/install-packages run build
packages-test: packages-build
	@tools/install-packages test

$(BUILD)/build.ninja: | packages-build
	meson setup $(BUILD) $(MESON_ARGS)

all: packages-build $(BUILD)/build.ninja
	ninja -C $(BUILD)

demo: packages-build
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD) -Dtests=false $(MESON_ARGS)
	@ninja -C $(BUILD) src/cli/patchcord gst-plugins
	@tools/demo $(BUILD)

test: packages-test $(BUILD)/build.ninja
	@meson configure $(BUILD) -Dtests=true
	ninja -C $(BUILD)
	meson test -C $(BUILD) --no-rebuild --print-errorlogs

CLANG = CC="$(CCACHE) clang-14" CXX="$(CCACHE) clang++-14" meson setup -Dwerror=true
# What one compiler lets pass the other tells. The code is not run.
clang: packages-lint
	[ -f build/clang/build.ninja ] || $(CLANG) -Ddebug=false -Doptimization=0 $(MESON_ARGS) build/clang
	ninja -C build/clang

# Line numbers and little optimisation: built in half the time.
SANITIZED = $(CLANG) -Db_lundef=false -Ddebug=false -Doptimization=1 -Dcpp_args=-gline-tables-only
CCACHE := $(shell command -v ccache)
packages-lint: packages-test
	@tools/install-packages lint

sanitize: packages-lint
	[ -f build/sanitize/build.ninja ] || $(SANITIZED) -Db_sanitize=address,undefined build/sanitize
	ninja -C build/sanitize
	meson test -C build/sanitize --no-rebuild --print-errorlogs -t 3 --suite unit --suite element --suite fuzz

# What is pure or on virtual workers only has one thread: nothing to find.
THREADED = base worker http_client net_names websocket websocket_client websocket_interop server single_call cli \
	store recording replay espeak_voice agent_chat agent_tools openai_chat_wire twiliosrc espeaksrc \
	voice_battery stt_battery threads
tsan: packages-lint
	[ -f build/tsan/build.ninja ] || $(SANITIZED) -Db_sanitize=thread build/tsan
	ninja -C build/tsan
	meson test -C build/tsan --no-rebuild --print-errorlogs -t 5 $(THREADED)

bench: packages-test
	[ -f build/bench/build.ninja ] || meson setup build/bench --buildtype=release -Db_ndebug=true
	ninja -C build/bench
	meson test -C build/bench --benchmark --no-rebuild --verbose

lint: packages-lint $(BUILD)/build.ninja
	tools/lint $(BUILD)

PREFIX ?= /usr/local
install: packages-build
	[ -f build/release/build.ninja ] || meson setup build/release --buildtype=release --prefix=$(PREFIX) -Dtests=false
	meson configure build/release --prefix=$(PREFIX)
	meson install -C build/release

clean:
	rm -rf build
