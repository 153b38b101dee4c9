# rivers: `make help` lists the targets. Everything is built below $(B). `make demo` and `make test` are the first two
# commands of README: both install what a Debian machine lacks (scripts/bootstrap) before anything is compiled.
.DEFAULT_GOAL := all
SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:

B        ?= build
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
DESTDIR  ?=
CC       := cc
VERSION  := 0.1.0
# Of the client library: one more whenever a program that was built with the header of before cannot work with it.
SOVERSION := 0

WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef \
            -Wpointer-arith -Wcast-qual -Wwrite-strings -Wconversion -Werror
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
OPT      ?= -O2 -g $(HARDEN)
CFLAGS   := -std=c11 -D_GNU_SOURCE -DRIVERS_VERSION='"$(VERSION)"' -fPIC -fvisibility=hidden $(OPT) $(WARN) -Iinclude -Isrc -I$(B)/gen $(SAN)
LINK     := -Wl,-z,relro,-z,now $(SAN)
LDFLAGS  := $(LINK) -pie
LDLIBS   := -lhiredis -levent_core -lcjson
# A test or tool gets those of them that it uses.
TESTLIBS := -Wl,--as-needed $(LDLIBS) -lcmocka -levent_extra -levent_openssl -lssl -lcrypto

LUA      := $(wildcard lua lua/* lua/*/* lua/*/*/*.lua)
SRC      := $(filter-out src/cmd/main.c,$(wildcard src/*/*.c))
OBJ      := $(SRC:%.c=$(B)/obj/%.o) $(B)/obj/gen/scripts.o
API      := $(patsubst %.c,$(B)/obj/%.o,$(wildcard src/api/*.c))
LIBRARY  := librivers.so.$(SOVERSION)
SUPPORT  := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/support/*.c))
TOOLS    := $(patsubst %.c,$(B)/%,$(wildcard tests/tools/*.c))
CHAOS    := $(B)/tests/chaos/chaos $(B)/tests/preload/redis_host.so

# tests/<kind>/test_<name>.c are test binaries, tests/cli/test_<name>.sh test whole commands. TESTS_ONLY picks some by name:
# `make test TESTS_ONLY='unit/test_url redis/%'`.
TESTS_ONLY ?= %
TEST_C   := $(wildcard tests/*/test_*.c)
TEST_BIN := $(filter $(addprefix $(B)/tests/,$(TESTS_ONLY)),$(TEST_C:%.c=$(B)/%))
TEST_SH  := $(filter $(TESTS_ONLY:%=tests/%.sh),$(wildcard tests/cli/test_*.sh))

# Binaries whose scripts lack what they promise, one for each tests/chaos/broken/<what>.sed: the checker of chaos must see it.
BROKEN   := $(patsubst tests/chaos/broken/%.sed,$(B)/broken/%/rivers,$(wildcard tests/chaos/broken/*.sed))

# V=1 shows the commands. A target that calls make again uses all cores, unless -j was given.
say       = $(if $(V),,@echo '  $(1)  $@';)
again     = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all
all: $(B)/rivers $(B)/$(LIBRARY) ## Build rivers and its client library (the default)

$(B)/rivers: $(B)/obj/src/cmd/main.o $(B)/internal.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/internal.a: $(OBJ)
	@rm -f $@
	$(call say,AR  )ar rcs $@ $^

# Of the objects in the archive those that the API needs; it shows what include/rivers/rivers.h declares.
$(B)/$(LIBRARY): $(API) $(B)/internal.a
	$(call say,LINK)$(CC) $(LINK) -shared -Wl,-soname,$(@F),-z,defs,--as-needed -o $@ $^ $(LDLIBS)

# The folders are prerequisites too, so that a script that was removed leaves the binary. scripts.h keeps its time unless
# it changed, so that a changed Lua body recompiles scripts.c alone.
$(B)/gen/scripts.c: $(LUA) scripts/embed-lua
	$(call say,LUA )scripts/embed-lua lua $(@D)

$(B)/gen/scripts.h: $(B)/gen/scripts.c
	@:

$(B)/obj/gen/scripts.o: $(B)/gen/scripts.c $(B)/gen/scripts.h Makefile
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CFLAGS) -c -o $@ $<

$(B)/obj/tests/%.o: CFLAGS += -Itests

$(B)/obj/%.o: %.c Makefile | $(B)/gen/scripts.h
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/support.a: $(SUPPORT)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR  )ar rcs $@ $^

$(B)/tests/%: $(B)/obj/tests/%.o $(B)/tests/support.a $(B)/internal.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(TESTLIBS)

# As any program links it; what starts the servers comes from the archives.
$(B)/tests/api/%: $(B)/obj/tests/api/%.o $(B)/$(LIBRARY) $(B)/tests/support.a $(B)/internal.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/../..' -o $@ $^ $(TESTLIBS)

$(B)/tests/chaos/chaos: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/chaos/*.c)) $(B)/tests/support.a $(B)/internal.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(TESTLIBS)

# Loaded into programs that we did not build: no sanitizers.
$(B)/tests/preload/%.so: tests/preload/%.c $(wildcard tests/support/*.h)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -std=c11 -D_GNU_SOURCE -fPIC -shared -O2 -g $(WARN) -Itests -o $@ $< -ldl -lpthread

$(B)/broken/%/scripts.c: tests/chaos/broken/%.sed $(LUA) scripts/embed-lua
	@rm -rf $(@D) && mkdir -p $(@D) && cp -R lua $(@D)/changed && find $(@D)/changed -name '*.lua' -exec sed -i -f $< {} +
	@if diff -r lua $(@D)/changed >/dev/null; then echo '$<: breaks nothing' >&2; exit 1; fi
	$(call say,LUA )scripts/embed-lua $(@D)/changed $(@D)

$(B)/broken/%/rivers: $(B)/broken/%/scripts.c $(B)/obj/src/cmd/main.o $(B)/internal.a
	$(call say,LINK)$(CC) $(CFLAGS) -c -o $(@D)/scripts.o $< && \
	    $(CC) $(LDFLAGS) -o $@ $(B)/obj/src/cmd/main.o $(@D)/scripts.o $(B)/internal.a $(LDLIBS)

.PHONY: demo
demo: bootstrap ## Show rivers at work with a Redis server of its own
	+@$(again) all
	@scripts/demo $(B)/rivers

.PHONY: test
test: bootstrap ## Build and run the tests; TESTS_ONLY='unit/test_url redis/%' runs a part
	+@$(again) run-tests

.PHONY: run-tests
run-tests: all $(TOOLS) $(TEST_BIN) $(if $(filter tests/cli/test_chaos%.sh,$(TEST_SH)),$(CHAOS)) \
           $(if $(filter tests/cli/test_broken.sh,$(TEST_SH)),$(BROKEN))
	@scripts/run-tests $(B) $(TEST_BIN) $(TEST_SH)

.PHONY: test-valkey
test-valkey: ## The same tests against Valkey's server
	+@scripts/with-valkey $(again) test

# What speaks to a Kubernetes server, the fake one in `make test`. daemon/test_kubernetes_faults and the other tests of
# tests/kube want answers that no real server gives when it is told to.
KUBE_BIN := $(addprefix $(B)/tests/,daemon/test_kubernetes daemon/test_kubernetes_fleet kube/test_step_pods)
.PHONY: test-kubernetes
test-kubernetes: bootstrap ## The tests of the Kubernetes backend against a real control plane, in KUBEBUILDER_ASSETS
	+@$(again) all $(TOOLS) $(KUBE_BIN)
	@scripts/test-kubernetes $(B) $(KUBE_BIN)

.PHONY: trace
trace: bootstrap ## Replay the cluster trace through four dequeuers, under limits and pools; check what ran at once
	+@$(again) all $(TOOLS)
	@scripts/replay-trace $(B)
	@scripts/replay-trace -p $(B)

# Another queue to compare with, once `npm install --prefix $(B)/bench bullmq ioredis` has been done.
RIVAL     = $(if $(wildcard $(B)/bench/node_modules/bullmq),--rival 'NODE_PATH=$(B)/bench/node_modules \
            node scripts/bullmq-bench.js')

.PHONY: bench
bench: bootstrap ## Measure rivers against bare Redis: a table and a chart in build/bench/; BENCH='--only memory' a part
	+@$(again) all
	@mkdir -p $(B)/bench
	@$(B)/rivers bench --chart $(B)/bench/chart.svg $(RIVAL) $(BENCH) >$(B)/bench/table.txt || { cat $(B)/bench/table.txt; exit 1; }
	@cat $(B)/bench/table.txt

SECONDS ?= 60
SEED    ?= 1
.PHONY: chaos
chaos: bootstrap ## Let everything around rivers fail for SECONDS=60, by SEED=1, and check what it promises
	+@$(again) all $(TOOLS) $(CHAOS)
	@scripts/chaos $(B) $(SECONDS) $(SEED)

.PHONY: chaos-seeds
chaos-seeds: bootstrap ## The seeds that failed once, again (a quarter of an hour)
	+@$(again) all $(TOOLS) $(CHAOS)
	@sed '/^#/d' tests/chaos/seeds | while read -r seconds seed sync; do SYNC=$${sync:-always} scripts/chaos $(B) $$seconds $$seed </dev/null || exit 1; done

.PHONY: san
san: export ASAN_OPTIONS := detect_stack_use_after_return=1:strict_string_checks=1:handle_segv=2
san: export UBSAN_OPTIONS := print_stacktrace=1
san: export LSAN_OPTIONS := max_leaks=10
san: bootstrap ## The same tests under the address and undefined behaviour sanitizers
	+@$(again) run-tests B=$(B)/san OPT='-O1 -g' \
	    SAN='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'

ROUNDS ?= 1000000
FUZZ   := $(patsubst %.c,$(B)/san/%,$(wildcard tests/fuzz/test_*.c))
.PHONY: fuzz
fuzz: bootstrap ## Mutate what the parsers read, under the sanitizers: ROUNDS=1000000 inputs for each, by SEED=1
	+@$(again) $(FUZZ) B=$(B)/san OPT='-O1 -g' \
	    SAN='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
	@for f in $(FUZZ); do FUZZ_ROUNDS=$(ROUNDS) FUZZ_SEED=$(SEED) $$f || exit; done

.PHONY: lint
lint: ## Check layers, format, Lua and shell scripts, and run clang-tidy and cppcheck
	@scripts/bootstrap lint
	+@$(again) $(B)/gen/scripts.h $(B)/compile_commands.json
	@scripts/lint $(B)

.PHONY: format
format: ## Rewrite the C files as clang-format wants them
	clang-format -i $(wildcard src/*/*.[ch] include/*/*.h tests/*/*.[ch] examples/*.c)

.PHONY: install
install: all include/rivers/rivers.h src/api/rivers.pc.in ## Install to $(DESTDIR)$(PREFIX): the command, the client library, its header, its rivers.pc
	install -D -m 755 $(B)/rivers $(DESTDIR)$(PREFIX)/bin/rivers
	install -D -m 644 include/rivers/rivers.h $(DESTDIR)$(PREFIX)/include/rivers/rivers.h
	install -D -m 644 $(B)/$(LIBRARY) $(DESTDIR)$(LIBDIR)/librivers.so.$(VERSION)
	ln -sf librivers.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(LIBRARY)
	ln -sf $(LIBRARY) $(DESTDIR)$(LIBDIR)/librivers.so
	@mkdir -p $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' src/api/rivers.pc.in \
	    >$(DESTDIR)$(LIBDIR)/pkgconfig/rivers.pc

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(B)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s  %s\n", $$1, $$2}' Makefile

.PHONY: bootstrap
bootstrap:
	@scripts/bootstrap

# What clang-tidy and clangd read; clangd looks below build/ by itself. Always rewritten: files come and go.
ALL_C    := $(wildcard src/*/*.c tests/*/*.c examples/*.c)
comma    := ,
compile   = {"directory": "$(CURDIR)", "file": "$(1)", "command": "$(CC) $(subst ",\",$(CFLAGS)) -Itests -c $(1)"}
.PHONY: $(B)/compile_commands.json
$(B)/compile_commands.json: | $(B)/gen/scripts.h
	@: $(file >$@,[$(foreach c,$(ALL_C),$(if $(filter-out $(firstword $(ALL_C)),$(c)),$(comma))$(call compile,$(c)))])

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
.SECONDARY:
