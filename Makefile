# loophound: see `make help`. A target's help is what follows its `##`.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=

# SAN=address|undefined|thread builds with clang's sanitizers, in a directory of its own. None of
# them can be in a library that is preloaded: there they are in the unit tests and the command.
SAN ?=
SANITIZE_address := -fsanitize=address -fno-omit-frame-pointer
SANITIZE_undefined := -fsanitize=undefined -fno-sanitize-recover=all
SANITIZE_thread := -fsanitize=thread -DLH_THREAD_SANITIZER
SANITIZE_fuzzer := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
ifeq ($(SAN),)
B := build
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
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wundef -Wvla -Wwrite-strings
CFLAGS ?= -O2 -g
CXXFLAGS ?= -O2 -g
ALL_CFLAGS := $(CSTD) $(WARN) -Isrc -Iinclude -D_GNU_SOURCE -MMD -MP $(CFLAGS)
ALL_CXXFLAGS := -std=gnu++17 -Wall -Wextra -Werror -Iinclude -MMD -MP $(CXXFLAGS)

# Inside the program: position-independent, nothing exported but what the table says, no unwinder.
PRELOAD_CFLAGS := -fPIC -fvisibility=hidden -fno-exceptions -fasynchronous-unwind-tables \
                  -ftls-model=initial-exec -fno-omit-frame-pointer -DLOOPHOUND_LINKED \
                  -DLH_LIBDIR='"$(LIBDIR)"' -DLH_BINDIR='"$(BINDIR)"'
PRELOAD_LDFLAGS := -shared -static-libgcc -Wl,-soname,libloophound.so -Wl,-z,defs -Wl,-z,now \
                   -Wl,-z,relro -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,--as-needed

COMMAND_PACKAGES := libunwind-generic libdw libelf jansson
COMMAND_CFLAGS := -DLH_LIBDIR='"$(LIBDIR)"' -DLH_BINDIR='"$(BINDIR)"'
COMMAND_LIBS = $(shell pkg-config --libs $(COMMAND_PACKAGES)) -liberty -lpthread

COMMON_SRC := $(wildcard src/common/*.c)
PRELOAD_SRC := $(wildcard src/preload/*.c)
COLLECT_SRC := $(wildcard src/collect/*.c)
CLI_SRC := $(wildcard src/cli/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
PROGRAM_SRC := $(filter-out %/crowd.c,$(wildcard tests/programs/*.c))
MODULE_SRC := $(wildcard tests/programs/*.cc)
BENCH_SRC := $(wildcard tests/bench/*.c)
RUNTIME_SRC := $(wildcard tests/runtimes/c/*.c)

PRELOAD_OBJ := $(COMMON_SRC:%.c=$(B)/pic/%.o) $(PRELOAD_SRC:%.c=$(B)/pic/%.o)
COMMAND_OBJ := $(COMMON_SRC:%.c=$(B)/obj/%.o) $(COLLECT_SRC:%.c=$(B)/obj/%.o) $(CLI_SRC:%.c=$(B)/obj/%.o)
# What unit tests link, as far as they need it: everything but main(), and but what takes libc's
# names or starts with the program.
TEST_OBJ := $(filter-out %/main.o,$(COMMAND_OBJ)) \
            $(filter-out %/wrappers.o %/wrap_syscall.o %/hooks.o %/init.o,$(PRELOAD_SRC:%.c=$(B)/pic/%.o))
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
CONSTRUCTOR_SRC := $(wildcard tests/programs/calls_*.c) tests/programs/crowd.c
PROGRAMS := $(PROGRAM_SRC:tests/programs/%.c=$(B)/programs/%) \
            $(MODULE_SRC:tests/programs/%.cc=$(B)/programs/%.so) \
            $(CONSTRUCTOR_SRC:tests/programs/%.c=$(B)/programs/constructor/%.so)
SANITIZER_OBJ := $(SANITIZER_SRC:%.c=$(B)/obj/%.o)
STRESS_NAMES := stress
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
FLAGS := $(CC) $(CXX) $(ALL_CFLAGS) $(ALL_CXXFLAGS) $(PRELOAD_CFLAGS) $(PRELOAD_LDFLAGS) $(LDFLAGS)
.PHONY: FORCE
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@

$(B)/pic/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $(PRELOAD_CFLAGS) -c $< -o $@

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $(COMMAND_CFLAGS) -c $< -o $@

# The versions of the call table. It names no symbols: those without a version keep the base version,
# which no other node may be combined with. Exported is what is not hidden (-fvisibility).
$(B)/exports.map: src/preload/exports.map.in src/calls.def
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(CC) -E -P -x c -Isrc $< | tr -d '"' | sort -Vu >$@

ifeq ($(SAN),)
$(B)/libloophound.so: $(PRELOAD_OBJ) $(B)/exports.map
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $(PRELOAD_LDFLAGS) -Wl,--version-script=$(B)/exports.map \
	    $(PRELOAD_OBJ) -o $@
else
# What is undefined can be trapped without anything of the sanitizer's.
PLAIN_CFLAGS := -O1 -g $(if $(filter undefined,$(SAN)),-fsanitize=undefined -fsanitize-trap=all)
.PHONY: plain
plain:
	@$(MAKE) --no-print-directory SAN= B=$(B)/plain CC=$(CC) CFLAGS='$(PLAIN_CFLAGS)' \
	    $(B)/plain/libloophound.so $(STRESS_NAMES:%=$(B)/plain/programs/%)

$(B)/libloophound.so $(STRESS): plain
	@mkdir -p $(@D)
	@cp $(@:$(B)/%=$(B)/plain/%) $@
endif

$(B)/loophound: $(COMMAND_OBJ) $(SANITIZER_OBJ)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(COMMAND_LIBS) -o $@

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
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) $< $(B)/unit/objects.a -o $@ $(LDFLAGS) $$(sed -n 's|^/\* link: \(.*\) \*/|\1|p' $<) -lpthread

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
test: ## install what is missing, build, and run every test; SAN=address|undefined|thread: under that sanitizer
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
.PHONY: fuzz
fuzz: ## feed rubbish to every reader, FUZZ_SECONDS (60) each; what fails is kept in build/san-fuzzer/found
	@scripts/bootstrap build sanitize
	@$(MAKE) --no-print-directory SAN=fuzzer fuzz-programs
	@$(PYTHON) scripts/run_fuzzers.py --build build/san-fuzzer --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS)

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

.PHONY: test-programs
test-programs: all $(UNIT) $(PROGRAMS)

# Loops that come from PyPI, for the interpreter that has the tests' own packages too.
$(B)/runtimes-venv/done: tests/runtimes/requirements.txt
	$(call say,PIP,$<)rm -rf $(@D) && $(PYTHON) -m venv $(@D) && \
	    $(@D)/bin/pip -q --disable-pip-version-check install -r $< && cp $< $@

.PHONY: test-runtimes
test-runtimes: ## install real event loops (tokio, Java, uvloop ...) and test with them
	@scripts/bootstrap build runtimes
	@$(MAKE) --no-print-directory all $(RUNTIMES) $(B)/runtimes-venv/done
	@$(PYTHON) scripts/run_tests.py --build $(B) --only runtimes

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

.PHONY: bench
bench: all $(BENCH) ## measure a wrapper in ns, a capture, a sample and a look in us, the watchdog, the collector
	@set -e; for program in $(BENCH); do echo "== $$program"; "$$program"; done
	@echo "== tests/bench/collector.py" && $(PYTHON) tests/bench/collector.py --build $(B)

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
docs: ## write docs/calls.md from the table of calls
	@$(PYTHON) scripts/calls_page.py

.PHONY: scan-imports
scan-imports: ## look for waiting calls of real servers that the table lacks
	@scripts/bootstrap scan
	@$(PYTHON) scripts/scan_imports.py

.PHONY: install
install: all ## install to PREFIX (/usr/local), below DESTDIR
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(INCLUDEDIR)'
	install -m 755 $(B)/loophound '$(DESTDIR)$(BINDIR)/loophound'
	install -m 644 $(B)/libloophound.so '$(DESTDIR)$(LIBDIR)/libloophound.so'
	install -m 644 include/loophound.h '$(DESTDIR)$(INCLUDEDIR)/loophound.h'

.PHONY: clean
clean: ## remove what was built
	rm -rf $(B)

.PHONY: help
help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
	    while IFS='|' read -r target text; do printf '  make %-17s %s\n' "$$target" "$$text"; done

-include $(PRELOAD_OBJ:.o=.d) $(COMMAND_OBJ:.o=.d) $(UNIT:=.d) $(FUZZ:=.d) $(BENCH:=.d) $(RUNTIMES:=.d) \
    $(patsubst %.so.d,%.d,$(PROGRAMS:=.d))
