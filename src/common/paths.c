/* SPDX-License-Identifier: Apache-2.0 */
/* See paths.h. Constant data, the Makefile's BINDIR and LIBDIR. */
#include "common/paths.h"

const char lh_path_bindir[] = LH_BINDIR;
const char lh_path_libdir[] = LH_LIBDIR;
