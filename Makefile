# Builds, tests, checks and installs modm; `make help` lists the targets.
SHELL       := /bin/bash
PREFIX      ?= /usr/local
LUA_VERSION ?= 5.4
JOBS        ?= $(shell nproc 2>/dev/null || echo 2)

# Packages are found by pkg-config; MONGOC_PC=mongoc2 builds against libmongoc 2.x.
PKG         := pkg-config
MONGOC_PC   ?= $(shell $(PKG) --exists libmongoc-1.0 2>/dev/null || \
                 ! $(PKG) --exists mongoc2 2>/dev/null && echo libmongoc-1.0 || echo mongoc2)
pkg_cflags   = $(shell $(PKG) --cflags $(1) 2>/dev/null)
MONGOC_CFLAGS := $(patsubst -I%,-isystem %,$(call pkg_cflags,$(MONGOC_PC)))
MONGOC_LIBS   := $(or $(shell $(PKG) --libs $(MONGOC_PC) 2>/dev/null),-lmongoc-1.0 -lbson-1.0)
# HMAC, for the tokens of pages; libmongoc needs the same library.
CRYPTO_LIBS   := -lcrypto
LUA54_PC    ?= lua5.4
LUAJIT_PC   ?= luajit

SOURCES  := $(shell find csrc -name '*.c' 2>/dev/null)
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
            -Wold-style-definition -Wwrite-strings -Wcast-qual -Wundef -Wvla \
            -Wformat=2 -Wimplicit-fallthrough -Wnull-dereference -Wno-unused-parameter
MODM_CFLAGS := -std=c11 -fPIC -fno-plt -pthread -fvisibility=hidden -D_GNU_SOURCE -iquote csrc $(WARNINGS)
# Not -MMD, which leaves out headers of ours that are included behind libmongoc's.
DEPENDENCIES := -MD -MP
# Not every compiler and processor has them all.
can          = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))
HARDENING   := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -Wformat -Werror=format-security \
               -fstack-protector-strong $(call can,-fstack-clash-protection) \
               $(call can,-fcf-protection)
OPTIMIZE    ?= -O2 -g
# nodelete: libmongoc's threads and callbacks may outlive the Lua state that loaded the module.
MODM_LDFLAGS := -shared -pthread -Wl,-z,nodelete -Wl,-z,relro,-z,now -Wl,-z,noexecstack \
                -Wl,--as-needed
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

TSAN := -O1 -g -fno-omit-frame-pointer -fsanitize=thread

# Both Luas side by side, each with a server of its own; on one that was given, fail points of one
# would hit the other.
AT_ONCE := $(if $(MONGODB_URI),1,2)

.PHONY: all build strict rock rock-install demo blog test-blog test corpus test-lua5.4 test-luajit test-pool asan tsan interop \
        lint format types bench bench-odm bench-peers bench-validators performance install setup clean \
        help FORCE
.PHONY: apicheck analyze valgrind game bench-waiting fuzz fuzz-targets coverage oom

all: ## build the module for Lua 5.4 and for LuaJIT (the default)
	@$(PKG) --exists $(MONGOC_PC) $(LUA54_PC) $(LUAJIT_PC) || \
	  { echo 'something is missing: `make setup` installs it' >&2; exit 1; }
	@mkdir -p build
	@flock build/.lock $(MAKE) --no-print-directory -j$(JOBS) build

# What the specs need of a flavour: the module, and programs of their own.
whole = $(foreach f,$(1),build/$(f)/modm/core.so build/$(f)/forking.so build/$(f)/walk build/$(f)/states)

build: $(call whole,lua5.4 luajit)

# One flavour of the module: $(1) its folder under build/, $(2) flags to compile, $(3) flags to link.
# `flags` and `sources` change only when what they hold changes, so that nothing stale is kept.
define flavour
build/$(1)/modm/core.so: $(SOURCES:csrc/%.c=build/$(1)/obj/%.o) build/$(1)/sources
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $$(MODM_LDFLAGS) $(3) -o $$@.new $$(filter %.o,$$^) $$(MONGOC_LIBS) $$(CRYPTO_LIBS)
	@mv $$@.new $$@

build/$(1)/obj/%.o: csrc/%.c build/$(1)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(MODM_CFLAGS) $(2) $$(MONGOC_CFLAGS) $$(CPPFLAGS) $$(CFLAGS) $$(DEPENDENCIES) -c -o $$@ $$<

build/$(1)/flags: FORCE
	@$$(call keep,$$(CC) $$(MODM_CFLAGS) $(2) $$(MONGOC_CFLAGS) $$(CPPFLAGS) $$(CFLAGS) $$(DEPENDENCIES))

build/$(1)/sources: FORCE
	@$$(call keep,$$(SOURCES) $(3) $$(MONGOC_LIBS) $$(CRYPTO_LIBS) $$(LDFLAGS))

-include $(SOURCES:csrc/%.c=build/$(1)/obj/%.d)
endef
keep = mkdir -p $(@D); echo '$(1)' | cmp -s - $@ || echo '$(1)' >$@

LUA54_CFLAGS  := $(call pkg_cflags,$(LUA54_PC))
LUAJIT_CFLAGS := $(call pkg_cflags,$(LUAJIT_PC))
LUA54_LIBS    := $(shell $(PKG) --libs $(LUA54_PC) 2>/dev/null)
LUAJIT_LIBS   := $(shell $(PKG) --libs $(LUAJIT_PC) 2>/dev/null)
$(eval $(call flavour,lua5.4,$(OPTIMIZE) $(HARDENING) $(LUA54_CFLAGS),))
$(eval $(call flavour,luajit,$(OPTIMIZE) $(HARDENING) $(LUAJIT_CFLAGS),))
$(eval $(call flavour,asan-lua5.4,$(SANITIZE) $(LUA54_CFLAGS),$(SANITIZE)))
$(eval $(call flavour,tsan-lua5.4,$(TSAN) $(LUA54_CFLAGS),$(TSAN)))
$(eval $(call flavour,asan-luajit,$(SANITIZE) $(LUAJIT_CFLAGS),$(SANITIZE)))
$(eval $(call flavour,strict-lua5.4,-O2 -Werror $(LUA54_CFLAGS),))
$(eval $(call flavour,strict-luajit,-O2 -Werror $(LUAJIT_CFLAGS),))
$(eval $(call flavour,analyze-lua5.4,-O1 -fanalyzer -Werror $(LUA54_CFLAGS),))
$(eval $(call flavour,analyze-luajit,-O1 -fanalyzer -Werror $(LUAJIT_CFLAGS),))

# What counts the lines and branches that run; COVER_LUA=lua5.4 narrows to one Lua, and COVER_KEEP=1
# adds to what earlier runs counted.
COVER      := -O0 -g --coverage -fprofile-update=atomic
COVER_LUA  ?= lua5.4 luajit
$(eval $(call flavour,cover-lua5.4,$(COVER) $(LUA54_CFLAGS),--coverage))
$(eval $(call flavour,cover-luajit,$(COVER) $(LUAJIT_CFLAGS),--coverage))

coverage: ## print which lines and branches of csrc/ the specs reach; SPEC=file narrows
	@tools/setup test
	@$(MAKE) -s all
	@flock build/.lock $(MAKE) -s -j$(JOBS) CC=gcc $(call whole,$(COVER_LUA:%=cover-%))
	@$(if $(COVER_KEEP),,find $(COVER_LUA:%=build/cover-%) -name '*.gcda' -delete)
	@MODM_COVER=1 tools/with-mongod tools/specs $(COVER_LUA) || true
	@python3 tools/coverage.py $(COVER_LUA:%=build/cover-%)

# The fuzz targets: each fuzz/NAME.c with a judge of its own, against instrumented rooms.
FUZZ_CC       := clang
FUZZ_SANITIZE := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all \
                 -fsanitize=fuzzer-no-link,address,undefined
FUZZ_TARGETS  := $(patsubst fuzz/%.lua,%,$(wildcard $(patsubst %.c,%.lua,$(wildcard fuzz/*.c))))
$(eval $(call flavour,fuzz,$(FUZZ_SANITIZE) $(LUA54_CFLAGS),$(FUZZ_SANITIZE)))

build/fuzz/%: fuzz/%.c fuzz/fuzz.c fuzz/fuzz.h $(SOURCES:csrc/%.c=build/fuzz/obj/%.o)
	$(CC) $(MODM_CFLAGS) $(FUZZ_SANITIZE) -fsanitize=fuzzer $(LUA54_CFLAGS) -o $@ \
	  $(filter %.c %.o,$^) $(LUA54_LIBS) $(MONGOC_LIBS) $(CRYPTO_LIBS) -lm -ldl

fuzz-targets: $(FUZZ_TARGETS:%=build/fuzz/%)

fuzz: ## run each fuzz target for FUZZ_SECONDS (60); FUZZ=name narrows
	@tools/setup fuzz
	@mkdir -p build
	@flock build/.lock $(MAKE) -s -j$(JOBS) CC=$(FUZZ_CC) fuzz-targets
	@tools/fuzz $(or $(FUZZ),$(FUZZ_TARGETS))
# Of the specs: hosts, one whose memory ends and one of many Lua states, and fork. $(1) a flavour.
define programs
build/$(1)/walk: spec/memory/walk.c spec/memory/blocks.c spec/memory/blocks.h
build/$(1)/states: spec/worst/states.c
build/$(1)/walk build/$(1)/states: spec/support/host.c spec/support/host.h build/$(1)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(MODM_CFLAGS) -iquote spec/support -fvisibility=default $(2) -rdynamic -o $$@ $$(filter %.c,$$^) $(3)
build/$(1)/forking.so: spec/support/forking.c build/$(1)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(MODM_CFLAGS) -fvisibility=default $(2) -shared -o $$@ $$<
endef
$(eval $(call programs,lua5.4,$(OPTIMIZE) $(LUA54_CFLAGS),$(LUA54_LIBS)))
$(eval $(call programs,luajit,$(OPTIMIZE) $(LUAJIT_CFLAGS),$(LUAJIT_LIBS)))
$(eval $(call programs,asan-lua5.4,$(SANITIZE) $(LUA54_CFLAGS),$(LUA54_LIBS)))
$(eval $(call programs,asan-luajit,$(SANITIZE) $(LUAJIT_CFLAGS),$(LUAJIT_LIBS)))
$(eval $(call programs,tsan-lua5.4,$(TSAN) $(LUA54_CFLAGS),$(LUA54_LIBS)))
$(eval $(call programs,cover-lua5.4,$(COVER) $(LUA54_CFLAGS),$(LUA54_LIBS)))
$(eval $(call programs,cover-luajit,$(COVER) $(LUAJIT_CFLAGS),$(LUAJIT_LIBS)))

apicheck: ## run specs under Luas that check how their C API is used; SPEC=file narrows
	@tools/setup test
	@$(MAKE) -s all
	@tools/apicheck

oom: ## end Lua's memory, and the module's, at every allocation of spec/memory, under both Luas
	@tools/setup test
	@$(MAKE) -s all
	@SPEC=spec/memory MODM_OOM=all tools/with-mongod tools/specs lua5.4 luajit

setup: ## install the packages that demo, test, lint and bench need (Debian)
	@tools/setup demo test lint

demo: ## run examples/blog against a private mongod, under Lua 5.4
	@tools/setup demo
	@mkdir -p build
	@flock build/.lock $(MAKE) -s -j$(JOBS) build/lua5.4/modm/core.so
	@tools/with-mongod tools/lua-env lua5.4 lua5.4 examples/blog/blog.lua

blog: ## run examples/openresty-blog in nginx beside a private mongod; PORT=n chooses the port
	@tools/setup blog
	@$(MAKE) -s all
	@tools/with-mongod tools/lua-env luajit examples/openresty-blog/start $(PORT)

game: ## run examples/game beside a private mongod; GAME_SECONDS=n (10) sets how long
	@tools/setup game
	@mkdir -p build
	@flock build/.lock $(MAKE) -s -j$(JOBS) build/lua5.4/modm/core.so
	@tools/with-mongod tools/lua-env lua5.4 lua5.4 examples/game/game.lua

test-blog: ## drive examples/openresty-blog in a headless browser
	@tools/setup test blog browser
	@$(MAKE) -s all
	@SPEC=examples/openresty-blog/blog_spec.lua tools/with-mongod tools/specs luajit

test: ## run all specs under both Luas, and check the rock; SPEC=file narrows
	@tools/setup test
	@$(MAKE) -s all
	@tools/at-once $(AT_ONCE) 'tools/with-mongod tools/specs lua5.4' \
	  'tools/with-mongod tools/specs luajit' $(if $(SPEC),,'tools/specs rock')

corpus: ## read and write the BSON corpus under both Luas, and print the score
	@$(MAKE) --no-print-directory test SPEC=spec/bson/corpus_spec.lua

test-lua5.4 test-luajit: test-%: ## run the specs under one Lua; SPEC=file narrows
	@tools/setup test
	@$(MAKE) -s all
	@tools/with-mongod tools/specs $*

asan: ## run the specs with AddressSanitizer, UBSan and leak check; SPEC=file narrows
	@tools/setup test
	@mkdir -p build
	@flock build/.lock $(MAKE) -s -j$(JOBS) $(call whole,asan-lua5.4 asan-luajit) build/luajit/modm/core.so
	@tools/at-once $(AT_ONCE) 'tools/with-mongod tools/specs asan-lua5.4' \
	  'tools/with-mongod tools/specs asan-luajit'

tsan: ## run specs of waiting, sessions and references over the pool, with ThreadSanitizer
	@tools/setup test
	@mkdir -p build
	@flock build/.lock $(MAKE) -s -j$(JOBS) $(call whole,tsan-lua5.4)
	@SPEC='$(or $(SPEC),spec/transport/pool_spec.lua $(filter-out %/bank_spec.lua %/fork_spec.lua,$(wildcard spec/session/*_spec.lua)) \
	  spec/relation spec/watch spec/worst/states_spec.lua)' \
	  tools/with-mongod tools/specs pool-tsan-lua5.4

test-pool: ## run all specs over the pool transport, under cqueues; SPEC=file narrows
	@tools/setup test
	@$(MAKE) -s all
	@tools/at-once $(AT_ONCE) 'tools/with-mongod tools/specs pool-lua5.4' \
	  'tools/with-mongod tools/specs pool-luajit'

interop: ## hold modm to PyMODM itself: each reads, changes and finds what the other wrote
	@tools/setup interop
	@$(MAKE) -s all
	@tools/with-mongod interop/run lua5.4 luajit

lint: ## check style, rooms and sizes, and run the static analysers
	@tools/setup test lint
	@tools/lint

analyze: ## run gcc's analyzer over the C sources, for both Luas: clean, nothing suppressed
	@tools/setup test
	@mkdir -p build
	@flock build/.lock $(MAKE) -s --keep-going -j$(JOBS) CC=gcc \
	  $(patsubst %,build/analyze-%/modm/core.so,lua5.4 luajit)
	@echo 'analyze: clean'

# Some of each room: valgrind is forty times as slow.
VALGRIND_SPECS := spec/bson/values_spec.lua spec/bson/marks_spec.lua spec/codec spec/document \
  spec/field/email_spec.lua spec/field/url_spec.lua spec/driver/connect_spec.lua \
  spec/driver/cursor_spec.lua spec/driver/events_spec.lua spec/driver/log_spec.lua \
  spec/driver/auth_spec.lua spec/query/filter_spec.lua spec/query/writing_spec.lua \
  spec/relation/lazy_spec.lua spec/session/driver_spec.lua spec/tls/weak_spec.lua
valgrind: ## run a part of the specs under valgrind's memcheck, both Luas; SPEC=file: these instead
	@tools/setup test lint
	@$(MAKE) -s all
	@SPEC='$(or $(SPEC),$(VALGRIND_SPECS))' tools/with-mongod tools/specs \
	  valgrind-lua5.4 valgrind-luajit

# For `make lint`: the compiler's warnings are errors there.
strict: build/strict-lua5.4/modm/core.so build/strict-luajit/modm/core.so

format: ## lay out the C sources as `make lint` wants them
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format -i

types: ## write the stubs of fields and docs/fields.md anew from the table of kinds
	@$(MAKE) -s all
	@tools/lua-env lua5.4 lua5.4 tools/generate-types

bench: ## measure modm against raw libmongoc
	@tools/setup test
	@$(MAKE) -s all
	@tools/with-mongod bench/run

bench-odm: ## run MongoDB's ODM benchmark in modm and in raw libmongoc
	@tools/setup test
	@$(MAKE) -s all
	@tools/with-mongod bench/run-odm

bench-peers: ## measure other mappers at the bench's works; LUA_MONGO_SRC=dir adds lua-mongo
	@tools/setup test
	@tools/setup peers || true
	@$(MAKE) -s all
	@tools/with-mongod bench/run-peers

bench-waiting: ## measure how modm waits, in OpenResty, cqueues and luv
	@tools/setup waiting
	@$(MAKE) -s all
	@tools/with-mongod bench/run-waiting $(if $(KEEP),--keep)

bench-validators: ## measure validators with hostile texts of a megabyte
	@tools/setup test
	@$(MAKE) -s all
	@tools/lua-env lua5.4 lua5.4 bench/validators.lua
	@tools/lua-env luajit luajit bench/validators.lua

performance: ## run all benches, and put their results into the pages
	@$(MAKE) -s bench
	@$(MAKE) -s bench-peers
	@$(MAKE) -s bench-odm
	@$(MAKE) -s bench-waiting KEEP=1
	@tools/setup performance || true
	@tools/with-mongod bench/run-profile || true
	@bench/update-pages

install: ## install under PREFIX (/usr/local) for LUA_VERSION (5.4, or 5.1 for LuaJIT)
	@mkdir -p build
	@flock build/.lock $(MAKE) -s -j$(JOBS) build/$(INSTALL_FLAVOUR)/modm/core.so
	@$(MAKE) -s copy CORE=build/$(INSTALL_FLAVOUR)/modm/core.so \
	  INST_LUADIR=$(DESTDIR)$(PREFIX)/share/lua/$(LUA_VERSION) \
	  INST_LIBDIR=$(DESTDIR)$(PREFIX)/lib/lua/$(LUA_VERSION) \
	  INST_BINDIR=$(DESTDIR)$(PREFIX)/bin
	@sed -i '1s/lua$$/$(if $(filter 5.1,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))/' \
	  '$(DESTDIR)$(PREFIX)/bin/modm'
INSTALL_FLAVOUR := $(if $(filter 5.1,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))

# What luarocks calls: it gives the compiler, the flags and the folders.
rock:
	@$(MAKE) -j$(JOBS) build/rock/modm/core.so
rock-install:
	@$(MAKE) -s copy CORE=build/rock/modm/core.so
ifneq ($(LUA_INCDIR),)
ROCK_CFLAGS := $(HARDENING) -I$(LUA_INCDIR) $(MONGOC_INCDIR:%=-I%/libmongoc-1.0) \
               $(BSON_INCDIR:%=-I%/libbson-1.0)
$(eval $(call flavour,rock,$(ROCK_CFLAGS),$(MONGOC_LIBDIR:%=-L%)))
endif

.PHONY: copy
copy:
	@mkdir -p '$(INST_LIBDIR)/modm' '$(INST_LUADIR)'
	@install -Dm 755 bin/modm '$(INST_BINDIR)/modm'
	@install -m 755 $(CORE) '$(INST_LIBDIR)/modm/core.so'
	@cd lua && find modm -name '*.lua' -exec install -Dm 644 '{}' '$(INST_LUADIR)/{}' \;

clean: ## remove what was built
	rm -rf build

help: ## list the targets
	@sed -nE 's/^([a-z][a-z0-9. -]*):[^#]*## (.*)/\1\t\2/p' Makefile | \
	  while IFS=$$'\t' read -r name does; do printf '  %-24s %s\n' "$$name" "$$does"; done
