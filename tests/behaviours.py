#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/behaviours.md names tests: all of them exist."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ["PATCHCORD_SOURCE_ROOT"])
PAGE = (ROOT / "docs/behaviours.md").read_text()
SOURCES = [p.read_text() for folder in ("unit", "element")
           for p in (ROOT / "tests" / folder).glob("test_*.cpp")]


def exists(name):
    """Whether a source names it in whole, or its area and the rest apart."""
    area, rest = name[:name.rindex("/") + 1], name[name.rindex("/") + 1:]
    return any(f'"{name}"' in text or
               (f'"{area}' in text and f'"{rest}"' in text)
               for text in SOURCES)


def missing():
    page = PAGE[PAGE.index("\n## "):]
    for name in re.findall(r"`([^`]+)`", page):
        if name.startswith("/") and not exists(name):
            yield name
        elif name.endswith(".toml") and not (
                ROOT / "data/scenarios" / name).exists():
            yield name
        elif (program := re.fullmatch(r"(daemon|dial|transfers): (\w+)", name)) \
                and f"def {program[2]}(" not in (
                    ROOT / f"tests/e2e/{program[1]}.py").read_text():
            yield name


gone = list(missing())
print("1..1")
for name in gone:
    print(f"# docs/behaviours.md names {name}, which is no test")
print("not ok 1 - every test that is named exists" if gone
      else "ok 1 - every test that is named exists")
sys.exit(bool(gone))
