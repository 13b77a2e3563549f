# SPDX-License-Identifier: Apache-2.0
# loophound: see `make help`. A target's help is what follows its `##`.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
DESTDIR ?=

VERSION := $(shell sed -n 's/^\#define LH_VERSION "\(.*\)"$$/\1/p' src/common/version.h)
# Its first number: what is linked with one library runs with every other of the same number.
SONAME := libloophound.so.$(firstword $(subst ., ,$(VERSION)))

# CROSS=aarch64-linux-gnu builds for that processor, in a directory of its own, with the headers and
# libraries of the emulated machine's Debian, SUITE (scripts/armbox), or of this system: SYSROOT= .
CROSS ?=
SUITE ?= bookworm
ifneq ($(CROSS),)
SYSROOT := $(shell scripts/armbox --suite $(SUITE) --root)
CC := $(CROSS)-gcc $(SYSROOT:%=--sysroot=%)
CXX := $(CROSS)-g++ $(SYSROOT:%=--sysroot=%)
AR := $(CROSS)-ar
PKG_CONFIG := env PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
              PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(CROSS)/pkgconfig:$(SYSROOT)/usr/share/pkgconfig pkg-config
endif
PKG_CONFIG ?= pkg-config

# SAN=address|undefined|thread builds with clang's sanitizers, in a directory of its own; address is
# both of the first two. None of them can be in a library that is preloaded: there they are in the
# unit tests and the command.
SAN ?=
SANITIZE_undefined := -fsanitize=undefined -fno-sanitize-recover=all
SANITIZE_address := -fsanitize=address -fno-omit-frame-pointer $(SANITIZE_undefined)
SANITIZE_thread := -fsanitize=thread -DLH_THREAD_SANITIZER
SANITIZE_fuzzer := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
ifeq ($(SAN),)
B := build$(CROSS:%=/%)
else
$(if $(SANITIZE_$(SAN)),,$(error SAN=$(SAN): address, undefined or thread))
B := build/san-$(SAN)
CC := clang
CXX := clang++
CFLAGS := -O1 -g $(SANITIZE_$(SAN))
SANITIZER_SRC := $(wildcard tests/sanitizers/$(SAN).c)
endif

# Debian's own interpreter: it is the one that has Debian's pytest.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

CSTD := -std=gnu11
# Warnings are errors where we develop (.ci/run, scripts/lint): a later compiler has others.
WERROR ?= 0
# What a designated initializer leaves out is zero (C11 6.7.9): gcc 10 warns there now and then.
WARN := $(if $(filter 1,$(WERROR)),-Werror) -Wall -Wextra -Wno-missing-field-initializers -Wshadow \
        -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wvla -Wwrite-strings
CFLAGS ?= -O2 -g
CXXFLAGS ?= -O2 -g
ALL_CFLAGS := $(CSTD) $(WARN) -Isrc -Iinclude -D_GNU_SOURCE -MMD -MP $(CPPFLAGS) $(CFLAGS)
ALL_CXXFLAGS := -std=gnu++17 $(filter -Werror,$(WARN)) -Wall -Wextra -Iinclude -MMD -MP $(CPPFLAGS) $(CXXFLAGS)

# Inside the program: position-independent, nothing exported but what the table says, no unwinder; a
# wrapper that another one ends in is our own, and is not looked up.
# Of a distribution's flags two are taken back: fortified calls end the program, and their
# inline forms are names that we define; and link-time optimisation does not see that an assembler
# label (an alias, a symbol version) belongs to a function.
PRELOAD_CFLAGS := -fPIC -fvisibility=hidden -fno-exceptions -fasynchronous-unwind-tables \
                  -ftls-model=initial-exec -fno-omit-frame-pointer -DLOOPHOUND_LINKED \
                  -U_FORTIFY_SOURCE -fno-lto
PRELOAD_LDFLAGS := -shared -static-libgcc -Wl,-soname,$(SONAME) -Wl,-z,defs -Wl,-z,now \
                   -Wl,-z,relro -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,--as-needed \
                   -Wl,-Bsymbolic-functions

COMMAND_PACKAGES := libunwind-generic libdw libelf jansson zlib libzstd
# STATIC=1: the command needs libc alone, as in the Python wheel. The archives in a group: they need
# each other. What it links is listed in $(B)/loophound.map (docs/packaging.md).
STATIC ?= 0
ifeq ($(STATIC),1)
PACKAGE_LIBS = $(filter-out -lpthread,$(shell $(PKG_CONFIG) --static --libs-only-L --libs-only-l $(COMMAND_PACKAGES)))
COMMAND_LIBS = -static-libgcc -Wl,-Map=$@.map -Wl,-Bstatic -Wl,--start-group $(PACKAGE_LIBS) -liberty -llzma -lbz2 \
               -Wl,--end-group -Wl,-Bdynamic -lpthread -ldl
else
PACKAGE_LIBS = $(shell $(PKG_CONFIG) --libs $(COMMAND_PACKAGES))
COMMAND_LIBS = $(PACKAGE_LIBS) -liberty -lpthread -ldl
endif

CALL_TABLE := src/calls.def $(wildcard src/calls/*.def)
COMMON_SRC := $(wildcard src/common/*.c)
# A folder a stage; what knows the processor has a folder of its own below them.
PROCESSOR := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
PRELOAD_SRC := $(wildcard src/preload/*/*.c src/preload/*/$(PROCESSOR)/*.c)
LAZY_SRC := src/collect/sys/lazy.c src/collect/sys/$(PROCESSOR)/lazy_stubs.S
COLLECT_SRC := $(filter-out $(LAZY_SRC),$(wildcard src/collect/*/*.c src/collect/*/$(PROCESSOR)/*.c))
CLI_SRC := $(wildcard src/cli/*.c src/cli/*/*.c src/cli/*/$(PROCESSOR)/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
# Only x86-64 has a red zone, and functions of libc in versions that differ.
PROGRAM_SRC := $(filter-out %/crowd.c $(if $(filter x86_64,$(PROCESSOR)),,%/versions.c %/red_zone.c),$(wildcard tests/programs/*.c))
MODULE_SRC := $(wildcard tests/programs/*.cc)
BENCH_SRC := $(wildcard tests/bench/*.c)
RUNTIME_SRC := $(wildcard tests/runtimes/c/*.c)

PRELOAD_OBJ := $(COMMON_SRC:%.c=$(B)/pic/%.o) $(PRELOAD_SRC:%.c=$(B)/pic/%.o)
COMMAND_OBJ := $(COMMON_SRC:%.c=$(B)/obj/%.o) $(COLLECT_SRC:%.c=$(B)/obj/%.o) $(CLI_SRC:%.c=$(B)/obj/%.o)
# What unit tests link, as far as they need it: everything but main(), and but what takes libc's
# names or starts with the program.
TEST_OBJ := $(filter-out %/main.o,$(COMMAND_OBJ)) \
            $(filter-out %/wrappers.o %/wrap_syscall.o %/wrap_thread.o %/wrap_clock.o %/hooks.o %/init.o,$(PRELOAD_SRC:%.c=$(B)/pic/%.o))
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
CONSTRUCTOR_SRC := $(wildcard tests/programs/calls_*.c) tests/programs/crowd.c
PROGRAMS := $(PROGRAM_SRC:tests/programs/%.c=$(B)/programs/%) \
            $(MODULE_SRC:tests/programs/%.cc=$(B)/programs/%.so) \
            $(CONSTRUCTOR_SRC:tests/programs/%.c=$(B)/programs/constructor/%.so)
SANITIZER_OBJ := $(SANITIZER_SRC:%.c=$(B)/obj/%.o)
STRESS_NAMES := stress
SMOKE_NAMES := loops limits
STRESS := $(STRESS_NAMES:%=$(B)/programs/%)
FUZZ := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
BENCH := $(BENCH_SRC:tests/bench/%.c=$(B)/bench/%)
RUNTIMES := $(RUNTIME_SRC:tests/runtimes/c/%.c=$(B)/runtimes/%)

# Each command is named in a few words; `make V=1` prints it whole.
V ?= 0
ifeq ($(V),0)
say = @printf '  %-5s %s\n' '$(1)' '$(2)';
endif

.DELETE_ON_ERROR:
.PHONY: all
all: $(B)/libloophound.so $(B)/loophound ## build the library and the command

# Rewritten only when the compiler or its flags change: then everything is compiled again.
FLAGS := $(CC) $(CXX) $(ALL_CFLAGS) $(ALL_CXXFLAGS) $(PRELOAD_CFLAGS) $(PRELOAD_LDFLAGS) $(LDFLAGS) \
         $(if $(filter 1,$(STATIC)),static)
.PHONY: FORCE
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@

# The directories of an installation, in the two objects that know them: a change of PREFIX compiles
# these two again, and nothing else.
PATHS := -DLH_BINDIR='"$(BINDIR)"' -DLH_LIBDIR='"$(LIBDIR)"'
$(B)/paths: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(PATHS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(PATHS))' >$@

PATHS_OBJ := $(B)/pic/src/common/paths.o $(B)/obj/src/common/paths.o
$(PATHS_OBJ): $(B)/paths
$(PATHS_OBJ): ALL_CFLAGS += $(PATHS)

$(B)/pic/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $(PRELOAD_CFLAGS) -c $< -o $@

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c $< -o $@

# The page of `loophound export -f html`, which is built into the command.
$(B)/html/html_page.def: scripts/html_page.py $(wildcard src/cli/export/html/*)
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(PYTHON) scripts/html_page.py src/cli/export/html >$@

$(B)/obj/src/cli/export/html.o: $(B)/html/html_page.def
$(B)/obj/src/cli/export/html.o: ALL_CFLAGS += -I$(B)/html

# The versions of the call table. It names no symbols: those without a version keep the base version,
# which no other node may be combined with. Exported is what is not hidden (-fvisibility).
$(B)/exports.map: src/preload/wrap/exports.map.in $(CALL_TABLE) src/common/call_columns.h
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(CC) -E -P -x c -Isrc -o $@.in $< && tr -d '"' <$@.in | sort -Vu >$@

ifeq ($(SAN),)
$(B)/libloophound.so: $(PRELOAD_OBJ) $(B)/exports.map
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $(PRELOAD_LDFLAGS) -Wl,--version-script=$(B)/exports.map \
	    $(PRELOAD_OBJ) -o $@
else
# What is undefined can be trapped without anything of the sanitizer's.
PLAIN_CFLAGS := -O1 -g $(if $(filter address undefined,$(SAN)),-fsanitize=undefined -fsanitize-trap=all)
.PHONY: plain
plain:
	@$(MAKE) --no-print-directory SAN= B=$(B)/plain CC=$(CC) CFLAGS='$(PLAIN_CFLAGS)' \
	    $(B)/plain/libloophound.so $(STRESS_NAMES:%=$(B)/plain/programs/%)

$(B)/libloophound.so $(STRESS): plain
	@mkdir -p $(@D)
	@cp $(@:$(B)/%=$(B)/plain/%) $@
endif

# The command calls its libraries through stubs, which load them when they are needed; the tests are linked.
$(B)/lazy/lazy_libraries.def: $(COMMAND_OBJ) scripts/lazy_libraries.py
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(PYTHON) scripts/lazy_libraries.py '$(CC)' $(COMMAND_OBJ) -- $(PACKAGE_LIBS) >$@.new && \
	    if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

LAZY_OBJ := $(LAZY_SRC:%=$(B)/lazy/%.o)
$(LAZY_OBJ): $(B)/lazy/%.o: % $(B)/lazy/lazy_libraries.def $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -I$(B)/lazy -c $< -o $@

$(B)/loophound: $(COMMAND_OBJ) $(if $(filter 1,$(STATIC)),,$(LAZY_OBJ)) $(SANITIZER_OBJ)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ -Wl,--as-needed $(COMMAND_LIBS) -o $@

# What a package has to depend on (debian/rules).
$(B)/linked/loophound: $(COMMAND_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ -Wl,--as-needed $(COMMAND_LIBS) -o $@

$(B)/unit/objects.a: $(TEST_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

$(B)/unit/%: tests/unit/%.c $(B)/unit/objects.a $(SANITIZER_OBJ)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $< $(SANITIZER_OBJ) $(B)/unit/objects.a $(LDFLAGS) -lcmocka $(COMMAND_LIBS) -o $@

$(B)/fuzz/%: tests/fuzz/%.c $(B)/unit/objects.a
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $< $(B)/unit/objects.a $(LDFLAGS) $(COMMAND_LIBS) -o $@

# A program says in a comment what it needs: /* link: -luv */
$(B)/programs/%: tests/programs/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -fno-inline $< -o $@ $(LDFLAGS) \
	    $$(sed -n 's|^/\* link: \(.*\) \*/|\1|p' $<) -lpthread

$(B)/programs/%.so: tests/programs/%.cc $(B)/flags
	@mkdir -p $(@D)
	$(call say,CXX,$<)$(CXX) $(ALL_CXXFLAGS) -fPIC -shared $< -o $@ $(LDFLAGS)

# Libraries that do it all in their constructor; the calls once more: see tests/programs/scenario.h.
$(B)/programs/constructor/%.so: tests/programs/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -fno-inline -fPIC -shared -DSCENARIO_IN_CONSTRUCTOR $< -o $@ $(LDFLAGS) \
	    $$(sed -n 's|^/\* link: \(.*\) \*/|\1|p' $<) -lpthread

$(B)/bench/%: tests/bench/%.c $(B)/unit/objects.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $< $(B)/unit/objects.a -o $@ $(LDFLAGS) $$(sed -n 's|^/\* link: \(.*\) \*/|\1|p' $<) -lpthread -lm

$(B)/runtimes/%: tests/runtimes/c/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -fno-inline $< -o $@ $(LDFLAGS) \
	    $$(sed -n 's|^/\* link: \(.*\) \*/|\1|p' $<) -lpthread

.PHONY: demo
demo: ## install what is missing, build, and find the blocks of a real FastAPI server
	@scripts/bootstrap build demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) scripts/demo/demo.py --build $(B)

.PHONY: test
test: ## install what is missing, build, and run every test; SAN=address|undefined|thread: under that sanitizer (address: both of the first)
ifeq ($(SAN),)
	@scripts/bootstrap build test
	@$(MAKE) --no-print-directory test-programs
	@$(PYTHON) scripts/run_tests.py --build $(B)
else
	@scripts/bootstrap build test sanitize
	@$(MAKE) --no-print-directory all $(UNIT) $(STRESS)
	@$(PYTHON) scripts/run_tests.py --build $(B) --only sanitized
endif

FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 1
FUZZ_SEED ?= 0
.PHONY: fuzz
fuzz: ## feed rubbish to every reader, FUZZ_SECONDS (60) each, other rubbish each time or as FUZZ_SEED says; what fails is kept in build/san-fuzzer/found
	@scripts/bootstrap build sanitize
	@$(MAKE) --no-print-directory SAN=fuzzer fuzz-programs
	@$(PYTHON) scripts/run_fuzzers.py --build build/san-fuzzer --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) \
	    --seed $(FUZZ_SEED)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ)

# LOOPHOUND_TEST_PYTHONS=/path/python3.14t:... adds interpreters that are not found by themselves.
.PHONY: test-pythons
test-pythons: test-programs ## compare at least 10,000 Python stacks on each Python that is found
	@scripts/bootstrap build test
	@LOOPHOUND_TEST_SCALE=3 $(PYTHON) scripts/run_tests.py --build $(B) --only e2e -- \
	    -k 'test_python_walk or test_python_versions or test_python_embedded' -s -rs -v

.PHONY: test-new-pythons
test-new-pythons: ## the same on Debian sid's Pythons, in a system of their own (needs root)
	@scripts/new-pythons $(B)/pythons
	@LOOPHOUND_TEST_PYTHONS="$$(printf '%s:' $(B)/pythons/python3.*)" $(MAKE) --no-print-directory test-pythons

# NODE_VERSIONS="18.20.8 26.12.1": these alone, of tests/node/versions.txt. NODE_WALKS: on each.
export NODE_VERSIONS
NODE_WALKS ?= 60000
.PHONY: test-node
test-node: ## compare JavaScript stacks with V8's own on Node.js 16 to 26, which npm gets
	@scripts/bootstrap build node
	@$(MAKE) --no-print-directory all $(B)/export-tools/done
	@PATH="$$PWD/$(B)/export-tools/venv/bin:$$PATH" $(PYTHON) scripts/node_versions.py $(B)/nodes
	@LOOPHOUND_TEST_WALKS=$(NODE_WALKS) $(PYTHON) scripts/run_tests.py --build $(B) --only node

# Node's own npm would do as well; this one is that of the exports' tests.
.PHONY: node-servers
node-servers:
	@scripts/bootstrap build node-servers
	@$(MAKE) --no-print-directory all $(B)/export-tools/done
	@PATH="$$PWD/$(B)/export-tools/venv/bin:$$PATH" $(PYTHON) scripts/node_versions.py $(B)/nodes
	@PATH="$$PWD/$(B)/export-tools/venv/bin:$$PATH" $(PYTHON) tests/node_servers/build.py $(B)/node-servers

.PHONY: test-node-servers
test-node-servers: node-servers ## find the blocks of Express, Fastify, Nest and Next.js servers in TypeScript, which npm gets
	@$(PYTHON) scripts/run_tests.py --build $(B) --only node_servers

.PHONY: bench-node
bench-node: node-servers ## what watching these servers costs: throughput, CPU per request, p99
	@$(PYTHON) tests/bench/node_servers.py

.PHONY: test-programs
test-programs: all $(UNIT) $(PROGRAMS)

# What scripts/distros runs: needs no more than scripts/bootstrap smoke installs.
.PHONY: smoke-programs
smoke-programs: all $(UNIT) $(SMOKE_NAMES:%=$(B)/programs/%)

# Loops that come from PyPI, for the interpreter that has the tests' own packages too.
$(B)/runtimes-venv/done: tests/runtimes/requirements.txt
	$(call say,PIP,$<)rm -rf $(@D) && $(PYTHON) -m venv $(@D) && \
	    $(@D)/bin/pip -q --disable-pip-version-check install -r $< && cp $< $@

.PHONY: test-runtimes
test-runtimes: ## install real event loops (tokio, Java, uvloop ...) and test with them
	@scripts/bootstrap build runtimes
	@$(MAKE) --no-print-directory all $(RUNTIMES) $(B)/runtimes-venv/done
	@$(PYTHON) scripts/run_tests.py --build $(B) --only runtimes

# What reads the formats of `loophound export`: from PyPI and npm, whose client comes from PyPI too.
$(B)/export-tools/done: tests/export/requirements.txt tests/export/package.json
	$(call say,NPM,$<)rm -rf $(@D) && $(PYTHON) -m venv $(@D)/venv && \
	    $(@D)/venv/bin/pip -q --disable-pip-version-check install -r $< && cp tests/export/package.json $(@D) && \
	    cd $(@D) && PATH="$$PWD/venv/bin:$$PATH" venv/bin/npm install --no-audit --no-fund --ignore-scripts --silent && \
	    touch done

# Cross-compiled here, run in a machine that qemu emulates: SMOKE=1 for a few of the tests, which are
# skipped where there can be no such machine.
SMOKE ?= 0
ARM := aarch64-linux-gnu
# Where make was not told how many.
ALL_PROCESSORS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
.PHONY: test-aarch64
test-aarch64: ## build for 64-bit Arm, and run the tests in an emulated machine with Debian 12, and with 13
	@if scripts/bootstrap build aarch64 && scripts/armbox --root >/dev/null; then \
	    { [ $(SMOKE) = 1 ] || scripts/armbox --suite trixie --root >/dev/null & } && \
	    $(MAKE) $(ALL_PROCESSORS) --no-print-directory CROSS=$(ARM) test-programs && wait && \
	    $(PYTHON) scripts/arm_tests.py --build build/$(ARM) $(if $(filter 1,$(SMOKE)),--smoke); \
	elif [ $(SMOKE) = 1 ]; then echo '0 passed, 0 failed, 1 skipped: no emulated machine can be had here'; \
	else exit 1; fi

# A walk ends after 3 ms, which is not enough for one in an emulated machine.
.PHONY: test-aarch64-node
test-aarch64-node: ## JavaScript's stacks there, on Node.js 20, 22 and 24: a quarter of an hour
	@scripts/bootstrap build aarch64 node
	@$(MAKE) $(ALL_PROCESSORS) --no-print-directory CROSS=$(ARM) B=build/$(ARM)-patient CPPFLAGS=-DLH_V8_WALK_NS=60000000 all
	@$(MAKE) --no-print-directory $(B)/export-tools/done
	@NODE_VERSIONS="$$(grep -E '^(20|22|24)\.' tests/node/versions.txt | tr '\n' ' ')" \
	    PATH="$$PWD/$(B)/export-tools/venv/bin:$$PATH" $(PYTHON) scripts/node_versions.py build/$(ARM)-patient/nodes arm64
	@$(PYTHON) scripts/arm_tests.py --build build/$(ARM)-patient --node

.PHONY: test-export
test-export: ## install what reads the exported formats (Firefox's profiler, speedscope, pprof ...), and ask it
	@scripts/bootstrap build demo export
	@$(MAKE) --no-print-directory all $(B)/export-tools/done
	@$(PYTHON) scripts/run_tests.py --build $(B) --only export

.PHONY: test-python
test-python: ## test the Python package with packages from PyPI, on the system's Python and the newest that is found
	@scripts/bootstrap python
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/python/venvs.py --build $(B)
	@$(PYTHON) scripts/run_tests.py --build $(B) --only python

.PHONY: test-python-all
test-python-all: ## the same on each Python that is found, from 3.8 on
	@scripts/bootstrap python
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/python/venvs.py --build $(B) --all
	@LOOPHOUND_TEST_ALL_PYTHONS=1 $(PYTHON) scripts/run_tests.py --build $(B) --only python

.PHONY: test-python-sid
test-python-sid: ## the same on Debian sid's Python, in a system of its own (needs root)
	@scripts/bootstrap distros
	@scripts/distros --dir $(B)/distros --systems sid --python

.PHONY: bench-python
bench-python: all ## what `pytest --loophound` costs, beside blockbuster; what the middleware costs
	@$(PYTHON) tests/python/venvs.py --build $(B)
	@$(PYTHON) tests/bench/asgi_cost.py --build $(B)
	@$(PYTHON) tests/bench/pytest_cost.py --build $(B)

.PHONY: test-stacks
test-stacks: ## compare native stacks with gdb's: C, C++, Rust, in all the ways they are built
	@scripts/bootstrap build stacks
	@$(MAKE) --no-print-directory all
	@$(PYTHON) scripts/run_tests.py --build $(B) --only stacks

.PHONY: compat-short
compat-short: ## run a part of CPython's, libuv's, Redis's and stress-ng's tests without and with the library
	@scripts/bootstrap build compat
	@$(MAKE) --no-print-directory all
	@scripts/compat --short --build $(B)

.PHONY: compat
compat: ## the same with all of them; an hour or more
	@scripts/bootstrap build compat
	@$(MAKE) --no-print-directory all
	@scripts/compat --long --build $(B)

SOAK_SECONDS ?= 60
.PHONY: soak
soak: ## load uvicorn, Node, nginx and Redis for SOAK_SECONDS (60) each; nothing but scheduling delays may be reported
	@scripts/bootstrap build soak
	@$(MAKE) --no-print-directory all
	@$(PYTHON) scripts/soak.py --build $(B) --seconds $(SOAK_SECONDS)

.PHONY: soak-blocks
soak-blocks: ## uvicorn under load and two busy processes, with a block a second, for ten minutes
	@scripts/bootstrap build soak
	@$(MAKE) --no-print-directory all
	@$(PYTHON) scripts/soak_blocks.py --build $(B)

.PHONY: stress
stress: $(B)/unit/test_order ## what threads see of each other without locks, for a minute each: run it on a processor that reorders
	@LOOPHOUND_STRESS_SECONDS=60 $(B)/unit/test_order

.PHONY: torture
torture: ## kills, stops, full disks, floods, 10,000 processes: what survived, what was lost, what was said
	@scripts/bootstrap build demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) scripts/torture.py --build $(B)

# BENCH_FLAGS=--append keeps the runs that are there: scripts/bench-compare takes the noise from them.
BENCH_FLAGS ?=
.PHONY: bench
bench: bench-programs ## measure what all parts cost, in ten minutes at most: figures beside their targets, and build/bench.json
	@$(PYTHON) tests/bench/bench.py --build $(B) $(BENCH_FLAGS)

.PHONY: bench-macro
bench-macro: bench-programs ## the same of whole servers, at length: processor time per request, full load and little; half an hour, in build/bench-macro.json
	@$(PYTHON) tests/bench/bench.py --build $(B) --long --output $(B)/bench-macro.json $(BENCH_FLAGS)

.PHONY: bench-peers
bench-peers: bench-programs ## loophound beside blockbuster, aiocop, pyleak, py-spy and others: half an hour; writes docs/benchmarks.md
	@$(PYTHON) tests/bench/peers.py --build $(B) $(BENCH_FLAGS)

.PHONY: bench-growth
bench-growth: bench-programs ## what it costs as loops, threads, processes, calls and frames grow; writes docs/benchmarks.md
	@$(PYTHON) tests/bench/growth.py --build $(B) $(BENCH_FLAGS)

.PHONY: bench-programs
bench-programs:
	@scripts/bootstrap build bench
	@$(MAKE) --no-print-directory all $(BENCH) $(B)/programs/burst $(B)/bench-venv/done

# The servers that come from PyPI, and who else finds what blocks a loop.
$(B)/bench-venv/done: tests/bench/requirements.txt
	$(call say,PIP,$<)rm -rf $(@D) && $(PYTHON) -m venv $(@D) && \
	    $(@D)/bin/pip -q --disable-pip-version-check install -r $< && cp $< $@

.PHONY: format
format: ## lay out the C and the Python as the tree wants it
	@scripts/bootstrap lint
	@scripts/lint --build $(B) --fix

.PHONY: lint
lint: ## check layout, static analysis, the rooms, the call table against libc
	@scripts/bootstrap build lint
	@$(MAKE) --no-print-directory all
	@scripts/lint --build $(B)

.PHONY: docs
docs: ## write docs/calls.md, options.md, frames.md, strict.md, advice.md and parts of rules.md, export.md, doctor.md and node.md from the tables
	@$(PYTHON) scripts/calls_page.py
	@$(PYTHON) scripts/options_page.py
	@$(PYTHON) scripts/frames_page.py
	@$(PYTHON) scripts/advice_page.py
	@$(PYTHON) scripts/strict_page.py
	@$(PYTHON) scripts/rules_page.py
	@$(PYTHON) scripts/doctor_page.py
	@$(PYTHON) scripts/export_page.py
	@$(PYTHON) scripts/node_page.py

# Made from the tables, by the command that was built: what is installed describes itself.
PAGES := $(wildcard docs/man/*.scd)
MAN := $(PAGES:docs/man/%.scd=$(B)/man/%)
COMPLETION := $(addprefix $(B)/completion/,loophound.bash _loophound loophound.fish)
TABLES := $(wildcard scripts/tables.py src/*.def src/cli/*.def src/cli/*/*.def)

# A command that runs here, whatever processor all else is for: it is asked for its help.
HERE := $(if $(CROSS),build/here,$(B))/loophound
ifneq ($(CROSS),)
$(HERE): $(COMMAND_OBJ)
	@$(MAKE) --no-print-directory CROSS= CC=cc CFLAGS=-O1 CPPFLAGS= LDFLAGS= PKG_CONFIG=pkg-config B=$(@D) $@
endif

.PHONY: man
man: $(MAN) ## make the man pages, in build/man (needs scdoc)

$(B)/man/%: docs/man/%.scd scripts/man_pages.py $(TABLES) $(HERE)
	@mkdir -p $(@D)
	$(call say,MAN,$@)$(PYTHON) scripts/man_pages.py --command $(HERE) $< >$@.scd && \
	    scdoc <$@.scd >$@ && rm $@.scd

.PHONY: completion
completion: $(COMPLETION) ## make the completion of bash, zsh and fish, in build/completion

$(B)/completion/loophound.bash: SHELL_NAME := bash
$(B)/completion/_loophound: SHELL_NAME := zsh
$(B)/completion/loophound.fish: SHELL_NAME := fish
$(COMPLETION): scripts/completion.py $(TABLES) $(HERE)
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(PYTHON) scripts/completion.py --command $(HERE) $(SHELL_NAME) >$@

.PHONY: scan-imports
scan-imports: ## look for waiting calls of real servers that the table lacks
	@scripts/bootstrap scan
	@$(PYTHON) scripts/scan_imports.py

# What is installed, and where: scripts/install. Man pages only where there is scdoc to make them.
INSTALL_DIRS := BINDIR='$(BINDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' DATADIR='$(DATADIR)'
PUT := $(INSTALL_DIRS) VERSION='$(VERSION)' SONAME='$(SONAME)' BUILD='$(B)' DESTDIR='$(DESTDIR)' \
           scripts/install

.PHONY: scan-libcs
scan-libcs: ## look for functions of this libc, Debian 13's and sid's that nobody has classed
	@scripts/bootstrap build
	@$(PYTHON) scripts/scan_libcs.py --build $(B)

.PHONY: install
install: all $(if $(wildcard docs/man),completion $(if $(shell command -v scdoc),man)) ## install to PREFIX (/usr/local), below DESTDIR
	@$(PUT) install

.PHONY: uninstall
uninstall: ## remove what `make install` has put there, with the same PREFIX and DESTDIR
	@$(PUT) uninstall

# What editors and clang's tools ask for: every command that make would run for a C file, from make itself.
.PHONY: compile_commands.json
compile_commands.json: ## write how each file is compiled, for editors
	@$(MAKE) --no-print-directory --always-make --dry-run V=1 all $(UNIT) | $(PYTHON) scripts/compile_commands.py >$@.new
	@mv $@.new $@

.PHONY: deb
deb: ## make a Debian package of what is committed, in build/deb
	@scripts/bootstrap build deb
	@scripts/deb $(B)/deb

.PHONY: deb-arm64
deb-arm64: ## the same for 64-bit Arm, in build/deb-arm64, cross-compiled in a Debian 12 of its own (needs root)
	@scripts/bootstrap distros
	@$(PYTHON) scripts/deb-for arm64 $(B)/deb-arm64

.PHONY: wheel
wheel: ## make the Python package of what is committed, in build/wheel/dist, in a Debian 11 of its own (needs root)
	@scripts/bootstrap distros demo
	@$(PYTHON) scripts/wheel $(B)/wheel

.PHONY: test-wheel
test-wheel: ## look at that package, install it and try it; make it once more: the same bytes
	@scripts/bootstrap build test
	@$(MAKE) --no-print-directory wheel
	@$(PYTHON) scripts/run_tests.py --build $(B) --only wheel

.PHONY: distros
distros: ## build with every compiler and test on every supported system, each made by debootstrap (needs root)
	@scripts/bootstrap distros
	@scripts/distros --dir $(B)/distros

.PHONY: clean
clean: ## remove what was built
	rm -rf $(B)

.PHONY: help
help: ## say what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
	    while IFS='|' read -r target text; do printf '  make %-18s %s\n' "$$target" "$$text"; done

-include $(PRELOAD_OBJ:.o=.d) $(COMMAND_OBJ:.o=.d) $(LAZY_OBJ:.o=.d) $(UNIT:=.d) $(FUZZ:=.d) $(BENCH:=.d) $(RUNTIMES:=.d) \
    $(patsubst %.so.d,%.d,$(PROGRAMS:=.d))
