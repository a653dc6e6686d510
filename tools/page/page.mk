# page.mk: builds build/page/index.html, the web page: one file, with replay in it as WebAssembly.

PAGE := $(B)/page

# wasm64, since mm/ needs pointers of 64 bits. clang 14 makes wrong code of bulk memory instructions.
PAGE_CFLAGS := --target=wasm64 -std=gnu17 -Oz -fno-builtin -ffreestanding -mno-bulk-memory -nostdlibinc \
               -isystem tools/page/libc -I. -I$(B)/host $(WARNINGS) -Wno-unknown-attributes \
               -DMM_HOST -DMM_NO_ASSERT -D_Thread_local= -D'__builtin_return_address(level)=((void*)0)' \
               -DMM_PORT_CONFIG='"tools/page/port_config.h"'
PAGE_LDFLAGS := -mwasm64 --no-entry --stack-first -z stack-size=1048576 --gc-sections --strip-all \
                --wrap=port_map_mem_map

PAGE_SOURCES := tools/page/engine.c tools/page/memory.c $(PAGE_WORK) tools/page/libc/libc.c lib/string.c \
                $(filter-out tools/replay/replay.c tools/replay/input.c tests/host/sim/panics.c,$(REPLAY) $(SIM)) \
                $(MM)
PAGE_OBJECTS := $(PAGE_SOURCES:%.c=$(PAGE)/%.o)

$(PAGE)/%.o: %.c | packages
	@mkdir -p $(@D)
	$(call say,WASM,$@)
	$(Q)$(CLANG) $(PAGE_CFLAGS) -MMD -MP -c $< -o $@

$(PAGE_OBJECTS): $(HOST)/kernel_size.h

$(PAGE)/engine.wasm: $(PAGE_OBJECTS)
	$(call say,LD,$@)
	$(Q)wasm-ld $(PAGE_LDFLAGS) $(PAGE_OBJECTS) -o $@

# In the order in which they are put together.
PAGE_SCRIPTS := engine dom map address session tables picture controls examples allocator input page
PAGE_TEXTS   := tools/page/page.html tools/page/page.css tools/page/allocator.css $(PAGE_SCRIPTS:%=tools/page/%.js)

.PHONY: page
page: $(PAGE)/index.html ## builds the web page, one file, which shows any map and the allocator at work

$(PAGE)/index.html: $(PAGE)/engine.wasm $(PAGE_TEXTS) tools/page/build.py $(wildcard tests/e820/*)
	$(call say,PAGE,$@)
	$(Q)$(PYTHON) tools/page/build.py $(PAGE)/engine.wasm tests/e820 $@ $(PAGE_TEXTS)
