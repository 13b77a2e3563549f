# loophound: see `make help`.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=
B := build

CSTD := -std=gnu11
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wundef -Wvla -Wwrite-strings
CFLAGS ?= -O2 -g
ALL_CFLAGS := $(CSTD) $(WARN) -Isrc -Iinclude -D_GNU_SOURCE -MMD -MP $(CFLAGS)

# Inside the program: position-independent, nothing exported but what the table says, no unwinder.
PRELOAD_CFLAGS := -fPIC -fvisibility=hidden -fno-exceptions -fasynchronous-unwind-tables \
                  -ftls-model=initial-exec -DLH_LIBDIR='"$(LIBDIR)"' -DLH_BINDIR='"$(BINDIR)"'
PRELOAD_LDFLAGS := -shared -static-libgcc -Wl,-z,now -Wl,-z,relro -Wl,-z,nodlopen -Wl,--as-needed

COMMAND_PACKAGES := libunwind-generic libdw libelf
COMMAND_CFLAGS := -DLH_LIBDIR='"$(LIBDIR)"'
COMMAND_LIBS = $(shell pkg-config --libs $(COMMAND_PACKAGES)) -lpthread

COMMON_SRC := $(wildcard src/common/*.c)
PRELOAD_SRC := $(wildcard src/preload/*.c)
COLLECT_SRC := $(wildcard src/collect/*.c)
CLI_SRC := $(wildcard src/cli/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
PROGRAM_SRC := $(wildcard tests/programs/*.c)
C_FILES = $(shell git ls-files '*.c' '*.h')

PRELOAD_OBJ := $(COMMON_SRC:%.c=$(B)/pic/%.o) $(PRELOAD_SRC:%.c=$(B)/pic/%.o)
COMMAND_OBJ := $(COMMON_SRC:%.c=$(B)/obj/%.o) $(COLLECT_SRC:%.c=$(B)/obj/%.o) $(CLI_SRC:%.c=$(B)/obj/%.o)
# What unit tests link: everything that does not take libc's names, and no main().
TEST_OBJ := $(filter-out %/main.o,$(COMMAND_OBJ)) \
            $(filter-out %/wrappers.o %/hooks.o,$(PRELOAD_SRC:%.c=$(B)/pic/%.o))
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
PROGRAMS := $(PROGRAM_SRC:tests/programs/%.c=$(B)/programs/%)

.PHONY: all
all: $(B)/libloophound.so $(B)/loophound ## build the library and the command

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PRELOAD_CFLAGS) -c $< -o $@

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(COMMAND_CFLAGS) -c $< -o $@

# The version script is the call table again: what is in it is exported, the rest is local.
$(B)/exports.map: src/preload/exports.map.in src/calls.def
	@mkdir -p $(@D)
	$(CC) -E -P -x c -Isrc $< -o $@

$(B)/libloophound.so: $(PRELOAD_OBJ) $(B)/exports.map
	$(CC) $(CFLAGS) $(LDFLAGS) $(PRELOAD_LDFLAGS) -Wl,--version-script=$(B)/exports.map \
	    $(PRELOAD_OBJ) -o $@

$(B)/loophound: $(COMMAND_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(COMMAND_LIBS) -o $@

$(B)/unit/%: tests/unit/%.c $(TEST_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $< $(TEST_OBJ) -lcmocka $(COMMAND_LIBS) -o $@

$(B)/programs/%: tests/programs/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fno-inline $< -o $@ $$(sed -n 's|^/\* link: \(.*\) \*/|\1|p' $<) -lpthread

-include $(PRELOAD_OBJ:.o=.d) $(COMMAND_OBJ:.o=.d) $(UNIT:=.d) $(PROGRAMS:=.d)
