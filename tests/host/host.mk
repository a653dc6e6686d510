# host.mk: builds the host programs: the library of mm/, replay, and the tests with their sanitizers.

HOST_CFLAGS := -std=gnu17 -O2 -g -D_GNU_SOURCE -DMM_HOST -I. -I$(B)/host $(WARNINGS)
ASAN        := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
MSAN        := -fsanitize=memory -fno-omit-frame-pointer
TSAN        := -fsanitize=thread -fno-omit-frame-pointer

HOST  := $(B)/host
CLANG := clang

# Reads memory maps, in whatever form they come.
MAPFILE := $(patsubst %,tools/replay/%.c,mapfile map_lines walk forms form_linux form_others words text source scan)

# The boot on a host: the kernel's own files for it, and the simulated machine.
SIM := kernel/memory/steps.c lib/e820.c lib/numa.c lib/format.c arch/x86_64/paging.c \
       arch/x86_64/paging_hotplug.c arch/x86_64/probe_added.c \
       tests/host/sim/sim.c tests/host/sim/cpus.c tests/host/sim/panics.c $(MAPFILE) tests/host/sim/checks.c
SIM_LOW := -DSIM_LOW -DMEM_MAP_BASE=0xc00000000ull # RAM and descriptors below 64 GiB: sim.h

TESTS := test_memblock test_memblock_late test_e820 test_numa test_madt test_nodes test_paging \
         test_paging_hotplug test_hotplug test_hotplug_random test_zones test_node_zones \
         test_buddy test_page_alloc test_caches test_check test_unmovable test_debug test_cpus \
         test_probe test_memtest test_hotplug_slots test_picture test_maps test_models test_lists test_mapfile \
         test_string test_format test_crc32 test_progress test_fat test_elf test_options test_cmdline \
         test_boot_info test_complete test_bios_map test_insn test_page_work
# stage2, with the BIOS, the ports and the console in the test's hands.
TESTS += test_partition test_disk test_rsdp test_stage2_kernel test_volume test_stage2_options \
         test_stage2_paging test_a20 test_stage2_cpu test_stage2_console test_bios \
         test_safe test_stage2_main
TESTS += test_contrib_printf test_contrib_page_list test_contrib_page_tables test_contrib_kmalloc \
         test_contrib_ranges test_contrib_one_cpu test_contrib_on_each_cpu

FUZZ    := ops fat elf e820 numa madt cmdline boot_info mapfile
FUZZERS := $(FUZZ:%=$(HOST)/fuzz_%)

# A program is compiled from all its files in one go, which leaves no list of its headers; so it depends
# on all of them.
HEADERS  := $(wildcard $(addsuffix /*.h,include lib mm contrib arch/x86_64 kernel kernel/* stage2 tests/host \
                                         tests/host/* tests/models tools/*))
PROGRAMS := $(TESTS:%=$(HOST)/%) $(HOST)/replay $(HOST)/page_work $(HOST)/test_maps_msan $(HOST)/test_threads $(HOST)/test_memblock_tsan \
            $(HOST)/test_string_kernel $(HOST)/test_exhaustive $(HOST)/test_exhaustive_gibs \
            $(HOST)/test_interleave $(HOST)/test_interleave_buddy $(HOST)/test_interleave_words \
            $(HOST)/test_port $(HOST)/test_port_plain $(HOST)/test_one_file $(HOST)/test_faults $(HOST)/test_misuse $(HOST)/test_random $(HOST)/test_random_small \
            $(FUZZERS) $(HOST)/bench
# Prints which compiler makes which program, and "3 of 38", because all take a minute or more.
count_program = $(eval PROGRAMS_BEGUN += $@)$(words $(PROGRAMS_BEGUN)) of $(words $(PROGRAMS))
say_program   = $(call say,$(1),$@ ($(count_program) for the tests))
$(PROGRAMS) $(HOST)/bench_counted $(HOST)/bench_setup $(HOST)/bench_models $(HOST)/bench_ns \
  $(HOST)/bench_cpus $(HOST)/bench_cold: $(HEADERS)

.PHONY: host
host: $(HOST)/libfirstpage-mm.a $(PROGRAMS) ## builds the library, replay and the host tests

$(HOST)/mm/%.o: mm/%.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(HOST)/libfirstpage-mm.a: $(MM:mm/%.c=$(HOST)/mm/%.o)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

# replay reserves an image of the kernel's size.
$(HOST)/kernel_size.h: $(B)/kernel.elf
	@mkdir -p $(@D)
	@$(NM) $< | awk '$$3 == "__kernel_start" { start = $$1 } $$3 == "__kernel_end" { end = $$1 } \
	  END { print "#define KERNEL_IMAGE_SIZE (0x" end "ull - 0x" start "ull)" }' >$@

REPLAY := tools/replay/replay.c tools/replay/job.c tools/replay/print.c tools/replay/zones.c tools/replay/replay_svg.c \
          tools/replay/input.c tools/replay/input_kind.c tools/replay/picture.c tools/replay/lanes.c tools/replay/scale.c tools/replay/svg.c

.PHONY: replay
replay: $(HOST)/replay ## builds build/host/replay, which reads the memory maps of other machines

$(HOST)/replay: $(REPLAY) $(SIM) $(HOST)/libfirstpage-mm.a $(HOST)/kernel_size.h
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(filter %.c,$^) $(HOST)/libfirstpage-mm.a -o $@

# The allocator's part of the page as a program: build/host/page_work STEPS [AT] <map
PAGE_WORK := $(patsubst %,tools/page/%.c,work steps state before story story_alloc story_free story_changes)

$(HOST)/page_work: tools/page/work_main.c $(PAGE_WORK) $(filter-out tools/replay/replay.c,$(REPLAY)) $(SIM) \
                   $(HOST)/libfirstpage-mm.a $(HOST)/kernel_size.h
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(filter %.c,$^) $(HOST)/libfirstpage-mm.a -o $@

# Each test is a program of few files, which are compiled in one run, with a sanitizer.
MEMBLOCK              := fixture asking growing random
NUMA                  := fixture memory nodes firmware named machines
test_memblock_SOURCES := mm/memblock.c $(MEMBLOCK:%=tests/host/memblock/%.c)
test_memblock_late_SOURCES := mm/memblock.c tests/host/memblock/fixture.c
test_e820_SOURCES     := tests/host/e820_oracle.c lib/e820.c lib/format.c
numa_ORACLE           := tests/host/numa/oracle.c tests/host/sim/numa_tables.c lib/numa.c lib/format.c
test_numa_SOURCES     := $(NUMA:%=tests/host/numa/%.c) $(numa_ORACLE)
test_madt_SOURCES     := tests/host/madt_oracle.c lib/madt.c
test_nodes_SOURCES    := kernel/memory/nodes.c tests/host/sim/numa_tables.c $(MM) $(SIM)
test_paging_SOURCES   := $(MM) $(SIM)
test_paging_hotplug_SOURCES := $(MM) $(SIM)
test_hotplug_SOURCES  := $(MM) $(SIM)
test_hotplug_random_SOURCES := $(MM) $(SIM)
test_zones_SOURCES    := $(MM) $(SIM) tests/host/sim/model.c tests/host/sim/arena.c
test_node_zones_SOURCES := $(MM) $(SIM) tests/host/sim/nodes.c
test_buddy_SOURCES    := $(MM) $(SIM) tests/host/sim/pieces.c
test_check_SOURCES    := $(test_buddy_SOURCES) tests/host/sim/nodes.c
test_page_alloc_SOURCES := $(test_buddy_SOURCES)
test_caches_SOURCES   := $(test_buddy_SOURCES)
test_unmovable_SOURCES := $(test_buddy_SOURCES)
test_debug_SOURCES    := $(MM) $(SIM)
test_cpus_SOURCES     := $(MM) $(SIM)
test_maps_SOURCES     := $(MM) $(SIM)
test_probe_SOURCES    := kernel/memory/probe.c $(MM) $(SIM)
test_memtest_SOURCES  := kernel/memory/memtest.c kernel/monitor/cmd_memtest.c kernel/parse.c \
                         kernel/test/crew.c \
                         $(MM) $(SIM)
test_hotplug_slots_SOURCES := kernel/memory/hotplug.c lib/e820.c lib/format.c
test_picture_SOURCES  := kernel/picture/cells.c kernel/picture/view.c kernel/picture/screen.c \
                         kernel/picture/words.c tests/host/sim/pieces.c $(MM) $(SIM)
test_models_SOURCES   := tests/models/models.c $(MM) $(SIM)
test_lists_SOURCES    := tests/host/peers/lists.c $(MM) $(SIM)
test_mapfile_SOURCES  := $(MAPFILE)
test_page_work_SOURCES := $(PAGE_WORK) $(MM) $(SIM)
test_string_SOURCES   := $(HOST)/lib_string.o
test_format_SOURCES   := lib/format.c
test_crc32_SOURCES    := lib/crc32.c
test_progress_SOURCES := lib/progress.c
test_fat_SOURCES      := tests/host/fat_volume.c stage2/fat.c
test_elf_SOURCES      := stage2/elf.c lib/crc32.c lib/format.c lib/string.c
test_options_SOURCES  := kernel/options.c kernel/parse.c lib/format.c
test_cmdline_SOURCES  := stage2/cmdline.c
SAID                  := tests/host/stage2/said.c
test_bios_map_SOURCES := stage2/memory.c lib/e820.c lib/format.c $(SAID)
test_partition_SOURCES := stage2/partition.c
test_disk_SOURCES     := stage2/disk.c $(SAID)
test_rsdp_SOURCES     := stage2/rsdp.c
test_volume_SOURCES   := stage2/volume.c stage2/partition.c $(SAID)
test_stage2_options_SOURCES := stage2/options.c stage2/cmdline.c $(SAID)
test_stage2_paging_SOURCES := stage2/paging.c
test_a20_SOURCES      := stage2/a20.c $(SAID)
test_stage2_cpu_SOURCES := stage2/cpu.c $(SAID)
test_bios_SOURCES     := stage2/bios.c stage2/progress.c lib/progress.c $(SAID)
test_stage2_main_SOURCES := stage2/main.c lib/crc32.c $(SAID)
test_safe_SOURCES     := stage2/safe.c $(SAID)
test_stage2_console_SOURCES := stage2/console.c lib/format.c lib/progress.c
test_stage2_kernel_SOURCES := stage2/kernel.c lib/e820.c lib/format.c $(SAID)
test_boot_info_SOURCES := tests/host/kernel_block.c kernel/boot_info.c lib/crc32.c lib/format.c
test_complete_SOURCES := kernel/monitor/complete.c
test_insn_SOURCES     := arch/x86_64/insn.c
test_contrib_printf_SOURCES    := contrib/printf.c
test_contrib_one_cpu_SOURCES   := contrib/one_cpu.c contrib/printf.c
test_contrib_on_each_cpu_SOURCES := contrib/on_each_cpu.c
test_contrib_page_list_SOURCES := contrib/page_list.c
test_contrib_kmalloc_SOURCES   := $(HOST)/contrib_kmalloc.o tests/host/sim/pieces.c $(MM) $(SIM)
test_contrib_ranges_SOURCES    := contrib/ranges.c $(MM) $(SIM)
test_contrib_page_tables_SOURCES := $(HOST)/contrib_page_tables.o $(MM) $(SIM)

# Instructions for the processor and for ports are calls of the test.
NO_CPU := -include tests/host/stage2/cpu.h
test_a20_LDFLAGS        := $(NO_CPU)
test_stage2_cpu_LDFLAGS := $(NO_CPU)
test_stage2_console_LDFLAGS := $(NO_CPU)
test_bios_LDFLAGS       := $(NO_CPU)
test_stage2_main_LDFLAGS := $(NO_CPU)

# Requests to other CPUs, and every lock, go through the test.
test_cpus_LDFLAGS := -Wl,--wrap=port_on_each_cpu -Wl,--wrap=port_irq_save -Wl,--wrap=port_cpu_id

# Page tables come from a reserve of the test's, which also looks at the tables when they are flushed.
test_paging_hotplug_LDFLAGS := -Wl,--wrap=hotplug_take_frames -Wl,--wrap=hotplug_return_frames \
                               -Wl,--wrap=port_flush_memory

# The machine of the probe's test has its own way to memory.
test_probe_LDFLAGS := -Wl,--wrap=frame_write -Wl,--wrap=frame_read

# Interrupts come where the number of the CPU is asked for.
test_node_zones_LDFLAGS := -DMM_CHECK_PIN -Wl,--wrap=port_cpu_id

# A frame changes hands while a range is being isolated.
test_hotplug_LDFLAGS := -Wl,--wrap=port_on_each_cpu

# Reads the kernel's instructions when it runs.
$(HOST)/test_insn: | $(B)/kernel.elf

test_nodes_LDFLAGS := -Wl,--wrap=mem_map_backed -Wl,--wrap=mem_map_local

# A list of pages needs frame numbers of 32 bits. Some of 32 bits are no frame's here.
test_contrib_page_list_LDFLAGS := -DMM_MAX_PFN='((pfn_t)0xfff00000)'

# Its CPUs are threads, which are more than the host may have cores.
test_contrib_on_each_cpu_LDFLAGS := -include sched.h -D'MM_CPU_RELAX()=sched_yield()'

# Both the tables under test and those of sim.c map what mem_map_init() asks for. The window has parts of
# two entries of the top table.
TWO_ENTRIES := -DMEM_MAP_BASE=0x54e000000000ull
test_contrib_page_tables_LDFLAGS := -Wl,--wrap=port_map_mem_map -Wl,--wrap=port_map_zero $(TWO_ENTRIES)

define test_program
$(HOST)/$(1): tests/host/$(1).c $$($(1)_SOURCES) | packages
	@mkdir -p $$(@D)
	$$(call say_program,CC)
	$$(Q)$$(CC) $$(HOST_CFLAGS) $$(ASAN) $$(filter %.c %.o,$$^) $$($(1)_LDFLAGS) -lcmocka -o $$@
endef
$(foreach test,$(TESTS),$(eval $(call test_program,$(test))))

# Parts of contrib/ that define functions of the port, under other names: sim.c is the port of the tests.
CONTRIB_PORT := kmalloc kfree slab_is_available port_map_mem_map port_map_zero

$(HOST)/contrib_%.o: contrib/%.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(ASAN) $(foreach name,$(CONTRIB_PORT),-D$(name)=contrib_$(name)) \
	  -MMD -MP -c $< -o $@

$(HOST)/contrib_page_tables.o: HOST_CFLAGS += $(TWO_ENTRIES)

# lib/string.c under other names, beside the C library. As in the kernel, gcc must not replace the loop
# of memcpy(), say, by a call of memcpy().
STRING := memcpy memmove memset memcmp strlen strcmp strncmp strchr

$(HOST)/lib_string.o: lib/string.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(ASAN) -fno-tree-loop-distribute-patterns \
	  $(foreach name,$(STRING),-D$(name)=lib_$(name)) -MMD -MP -c $< -o $@

# lib/string.c and the kernel's memset() under their own names, in place of the C library's functions.
$(HOST)/test_string_kernel: tests/host/test_string_kernel.c lib/string.c \
                            $(B)/kernel/arch/x86_64/memset.asm.o | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -fno-builtin -fno-tree-loop-distribute-patterns $(ASAN) \
	  $(filter %.c %.o,$^) -Wl,-z,noexecstack -lcmocka -o $@

$(HOST)/test_maps_msan: tests/host/test_maps.c $(test_maps_SOURCES) | packages
	@mkdir -p $(@D)
	$(call say_program,CLANG)
	$(Q)$(CLANG) $(HOST_CFLAGS) $(MSAN) $(filter %.c,$^) -o $@

$(HOST)/test_memblock_tsan: tests/host/test_memblock_late.c $(test_memblock_late_SOURCES) | packages
	@mkdir -p $(@D)
	$(call say_program,CLANG)
	$(Q)$(CLANG) $(HOST_CFLAGS) $(TSAN) $(filter %.c,$^) -lcmocka -o $@

$(HOST)/test_threads: tests/host/test_threads.c $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say_program,CLANG)
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SIM_LOW) $(TSAN) $(filter %.c,$^) -o $@

# mm/ without MM_HOST, as a kernel compiles it, and with all that a configuration may define; or with few of it.
FIXED := $(filter-out mm/hotplug% mm/page_isolation.c,$(MM)) # memory that never changes

$(HOST)/test_port_plain: PORT_PLAIN := -DTEST_PORT_PLAIN
$(HOST)/test_port $(HOST)/test_port_plain: tests/host/test_port.c $(FIXED) | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -UMM_HOST -DMM_PORT_CONFIG='"tests/host/port_all.h"' $(PORT_PLAIN) $(ASAN) \
	  $(filter %.c,$^) -lcmocka -o $@

# The one file of `make dist`, with hot-plug. This test of mm/ itself asks for what is mm/'s own.
$(HOST)/test_one_file: tests/host/test_hotplug_random.c $(B)/dist/firstpage_mm.c $(SIM) | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -DMM_HOTPLUG -DMM_INTERNAL= -DMM_INTERNAL_DATA=extern -I$(B)/dist $(ASAN) \
	  $(filter %.c,$^) -lcmocka -o $@

# Every sequence of operations, on bitmaps of 8 and of 4 children.
ARENA := tests/host/sim/model.c tests/host/sim/arena.c

$(HOST)/test_exhaustive: BITMAP := -DMM_BITMAP_SHIFT=3
$(HOST)/test_exhaustive_gibs: BITMAP := -DMM_BITMAP_SHIFT=2
$(HOST)/test_exhaustive $(HOST)/test_exhaustive_gibs: tests/host/test_exhaustive.c $(ARENA) \
                                                         $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(BITMAP) $(ASAN) $(filter %.c,$^) -lcmocka -o $@

# Millions of random operations, without a sanitizer.
PLAIN  :=
RANDOM := $(ARENA) tests/host/sim/machine.c tests/host/sim/ops.c tests/host/sim/random_ops.c \
          tests/host/sim/runs.c tests/host/sim/shrink.c

$(HOST)/test_random_small: BITMAP := -DMM_BITMAP_SHIFT=3
$(HOST)/test_random $(HOST)/test_random_small: tests/host/test_random.c $(RANDOM) $(MM) $(SIM) \
                                             | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(BITMAP) $(PLAIN) $(filter %.c,$^) -lcmocka -o $@

# Two CPUs as coroutines, on blocks of 8 frames, or of 256 in four words. No sanitizer knows of their stacks.
$(HOST)/test_interleave: tests/host/test_interleave.c
$(HOST)/test_interleave_buddy $(HOST)/test_interleave_words: tests/host/test_interleave_buddy.c
$(HOST)/test_interleave_words: INTERLEAVE_SHIFT := 8
INTERLEAVE_SHIFT := 3

$(HOST)/test_interleave $(HOST)/test_interleave_buddy $(HOST)/test_interleave_words: \
  tests/host/sim/schedules.c tests/host/port_config.h $(ARENA) $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -DMM_BITMAP_SHIFT=$(INTERLEAVE_SHIFT) -DMM_MAX_CPUS=2 \
	  -DMM_PORT_CONFIG='"tests/host/port_config.h"' $(filter %.c,$^) $(INTERLEAVED:%=-Wl,--wrap=%) -lcmocka -o $@

INTERLEAVED := port_irq_save port_irq_restore port_on_each_cpu

# Every lock goes through attempt.c, so that another CPU can act first; and in test_faults every
# request to memblock goes through the test, which can refuse it.
WRAPPED := port_irq_save

$(HOST)/test_faults: WRAPPED += memblock_alloc_range_nid memblock_alloc_try_nid \
                                memblock_alloc_try_nid_raw
$(HOST)/test_faults $(HOST)/test_misuse: $(HOST)/%: tests/host/%.c tests/host/sim/attempt.c \
                                                    $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(ASAN) $(WRAPPED:%=-Wl,--wrap=%) $(filter %.c,$^) \
	  -lcmocka -o $@

# A fuzzer has the sources of the test of the same name and is compiled like it, but by clang. The CRC,
# eight steps a byte, would take most of the time and has nothing to explore: it is compiled without a
# sanitizer.
fuzz_ops_SOURCES       := $(ARENA) $(MM) $(SIM)
fuzz_fat_SOURCES       := $(test_fat_SOURCES)
fuzz_elf_SOURCES       := $(filter-out lib/string.c,$(test_elf_SOURCES)) # the sanitizer replaces it
fuzz_e820_SOURCES      := $(test_e820_SOURCES) stage2/memory.c
fuzz_numa_SOURCES      := $(numa_ORACLE)
fuzz_madt_SOURCES      := $(test_madt_SOURCES)
fuzz_cmdline_SOURCES   := $(test_options_SOURCES) stage2/cmdline.c
fuzz_boot_info_SOURCES := $(test_boot_info_SOURCES)
fuzz_mapfile_SOURCES   := $(MAPFILE)

$(HOST)/crc32.o: lib/crc32.c lib/crc32.h | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -c $< -o $@

$(HOST)/fuzz_ops: BITMAP := -DMM_BITMAP_SHIFT=3

define fuzz_program
$(HOST)/fuzz_$(1): tests/host/fuzz/fuzz_$(1).c $$(patsubst lib/crc32.c,$(HOST)/crc32.o,$$(fuzz_$(1)_SOURCES)) \
                    | packages
	@mkdir -p $$(@D)
	$$(call say_program,CLANG)
	$$(Q)clang $$(HOST_CFLAGS) $$(BITMAP) $$(ASAN) -fsanitize=fuzzer $$(filter %.c %.o,$$^) -o $$@
endef
$(foreach target,$(FUZZ),$(eval $(call fuzz_program,$(target))))

# The benchmarks, without assertions and with the port's smallest functions inline. The second program
# has Callgrind's marks.
BENCH_CFLAGS := $(HOST_CFLAGS) -DMM_NO_ASSERT $(SIM_LOW) -DMM_PORT_CONFIG='"tests/host/bench/port_config.h"'

BENCH        := tests/host/bench/bench.c tests/host/bench/churn.c

$(HOST)/bench: $(BENCH) $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say_program,CC)
	$(Q)$(CC) $(BENCH_CFLAGS) $(filter %.c,$^) -o $@

$(HOST)/bench_counted: $(BENCH) $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) -DSIM_CALLGRIND $(filter %.c,$^) -o $@

$(HOST)/bench_ns: tests/host/bench/bench_ns.c tests/host/bench/ns_work.c tests/host/peers/lists.c \
                  $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) $(filter %.c,$^) -o $@

$(HOST)/bench_cpus: tests/host/bench/bench_cpus.c $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) -DSIM_CALLGRIND -DMM_MAX_CPUS=64 $(filter %.c,$^) -o $@

# tests/cold.py runs this one, too.
$(HOST)/bench_cold: tests/host/bench/bench_cold.c tests/host/peers/lists.c $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) -DSIM_CALLGRIND $(filter %.c,$^) -o $@

$(HOST)/bench_setup: tests/host/bench/bench_setup.c $(MM) $(SIM) | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) -DSIM_CALLGRIND $(filter %.c,$^) -o $@

$(HOST)/bench_models: tests/host/bench/bench_models.c tests/models/models.c $(MM) $(SIM) \
                       | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -DMM_NO_ASSERT -DSIM_CALLGRIND $(filter %.c,$^) -Wl,-z,now -o $@

# Coverage: the same programs by the same rules, with counters in place of sanitizers. Programs with other
# bitmap sizes are left out, as their constants make other branches of the same lines.
COVERAGE := $(B)/coverage
COVERED  := test_memblock test_memblock_late test_e820 test_numa test_madt test_zones test_buddy test_page_alloc test_caches test_unmovable \
            test_check test_cpus test_maps \
            test_string test_format test_crc32 test_faults test_misuse test_random test_threads
# test_debug looks at return addresses, which -O0 does not keep, so it may fail here.
UNJUDGED := test_debug
COUNTERS := -O0 -fno-builtin --coverage -fprofile-update=atomic -Dmm_always_inline="static inline"

.PHONY: coverage
coverage: | packages ## measures the lines and branches of mm/ and lib/ that the host tests reach
	@$(MAKE) --no-print-directory HOST=$(COVERAGE) ASAN='$(COUNTERS)' TSAN='$(COUNTERS)' \
	  PLAIN='$(COUNTERS)' CLANG='$(CC)' $(COVERED:%=$(COVERAGE)/%) $(UNJUDGED:%=$(COVERAGE)/%)
	@scripts/coverage $(COVERAGE) $(COVERED) $(UNJUDGED:%=-%)

# Mutants: see scripts/mutants. BY= names the tests, which are otherwise those of the file.
.PHONY: mutants
mutants: | packages ## changes FILE= in one place at a time, prints what no host test notices; BY=test_NAME AGAIN=1
	@scripts/mutants $(if $(AGAIN),--again) $(FILE) $(BY)
