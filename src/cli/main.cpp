// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>

int main() {
  std::puts("patchcord " PATCHCORD_VERSION);
  return 0;
}
