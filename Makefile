# SPDX-License-Identifier: LGPL-2.1-or-later
# What a newcomer needs: `make demo` and `make test`. The build itself is
# Meson's: this file installs packages and calls it.
BUILD ?= build/dev
MESON_ARGS ?=

.PHONY: help all demo test bench lint install clean packages-build packages-test
help:
	@echo "make demo     build, then a whole phone call on this machine, live"
	@echo "make test     build, then all tests"
	@echo "make bench    build optimised, then the benchmarks"
	@echo "make all      build only"
	@echo "make lint     clang-format and clang-tidy"
	@echo "make install  install (DESTDIR and PREFIX as usual; builds optimised)"
	@echo "make clean    remove build/"

packages-build:
	@tools/install-packages run build
packages-test: packages-build
	@tools/install-packages test

$(BUILD)/build.ninja:
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

bench: packages-test
	[ -f build/bench/build.ninja ] || meson setup build/bench --buildtype=release -Db_ndebug=true
	ninja -C build/bench
	meson test -C build/bench --benchmark --no-rebuild --verbose

lint: packages-test
	@tools/install-packages lint
	tools/lint $(BUILD)

PREFIX ?= /usr/local
install: packages-build
	[ -f build/release/build.ninja ] || meson setup build/release --buildtype=release --prefix=$(PREFIX) -Dtests=false
	meson install -C build/release

clean:
	rm -rf build
