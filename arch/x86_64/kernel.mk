# kernel.mk: builds the kernel. It is linked twice: the first link shows the addresses of its symbols,
# and the second adds the table of them, for back-traces.

KERNEL := arch/x86_64/stacks.c arch/x86_64/cpu.c arch/x86_64/gdt.c arch/x86_64/traps.c arch/x86_64/percpu.c arch/x86_64/apic.c arch/x86_64/ipi.c \
          arch/x86_64/cpus.c \
          arch/x86_64/stack_walk.c arch/x86_64/single_step.c arch/x86_64/insn.c arch/x86_64/paging.c \
          arch/x86_64/paging_hotplug.c arch/x86_64/probe_added.c arch/x86_64/frame_access.c \
          arch/x86_64/early_access.c \
          arch/x86_64/address_space.c arch/x86_64/pic.c arch/x86_64/timer.c arch/x86_64/uart.c \
          arch/x86_64/keyboard.c arch/x86_64/input.c arch/x86_64/vga.c arch/x86_64/consoles.c \
          arch/x86_64/acpi_tables.c arch/x86_64/acpi.c arch/x86_64/acpi_memory.c arch/x86_64/ends.c arch/x86_64/devices.c \
          kernel/main.c kernel/progress.c kernel/boot_info.c kernel/parse.c kernel/options.c \
          kernel/console/console.c kernel/console/pager.c kernel/console/log.c kernel/console/keys.c kernel/panic.c \
          kernel/ksyms.c kernel/place.c kernel/mm_port.c \
          kernel/memory/steps.c kernel/memory/setup.c kernel/memory/probe.c \
          kernel/memory/memtest.c kernel/memory/report.c kernel/memory/nodes.c \
          kernel/memory/hotplug.c \
          kernel/picture/cells.c kernel/picture/view.c kernel/picture/screen.c \
          kernel/picture/words.c kernel/picture/draw.c kernel/picture/picture.c \
          kernel/test/crew.c kernel/test/selftest.c kernel/test/selftest_cpus.c kernel/test/selftest_irq.c kernel/test/stress.c \
          kernel/test/bench.c kernel/test/bench_calls.c kernel/test/bench_worst.c \
          kernel/test/bench_adversary.c kernel/test/bench_hold.c kernel/test/bench_lines.c \
          kernel/test/bench_lock.c kernel/test/bench_scale.c kernel/test/bench_hotplug.c \
          kernel/monitor/monitor.c kernel/monitor/lineedit.c kernel/monitor/complete.c kernel/monitor/cmd_system.c \
          kernel/monitor/cmd_mm.c kernel/monitor/cmd_map.c kernel/monitor/cmd_memtest.c \
          kernel/monitor/cmd_numa.c kernel/monitor/cmd_hotplug.c kernel/monitor/cmd_debug.c \
          $(MM) lib/string.c lib/format.c lib/crc32.c lib/e820.c lib/numa.c lib/madt.c lib/progress.c

KERNEL_ASM := arch/x86_64/entry.asm arch/x86_64/traps.asm arch/x86_64/single_step.asm \
              arch/x86_64/trampoline.asm arch/x86_64/breakpoints.asm arch/x86_64/memset.asm arch/x86_64/panic.asm

KERNEL_CFLAGS := -std=gnu17 -O2 -g3 -ffreestanding -fno-pic -no-pie -mcmodel=kernel -mno-red-zone \
                 -mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer \
                 -fno-asynchronous-unwind-tables -fcf-protection=none \
                 -fno-tree-loop-distribute-patterns -ffile-prefix-map=$(CURDIR)=. \
                 -I. -DMM_PORT_CONFIG='"arch/x86_64/port_config.h"' -MMD -MP $(WARNINGS)

KERNEL_OBJECTS := $(KERNEL_ASM:%.asm=$(B)/kernel/%.asm.o) $(KERNEL:%.c=$(B)/kernel/%.o)
KERNEL_LD      := arch/x86_64/kernel.ld
KERNEL_LINK    := $(LD) -nostdlib -static -z max-page-size=4096 --build-id=none -z noexecstack -T $(KERNEL_LD)

# The image should be small, and these files are not where time is spent.
$(B)/kernel/kernel/monitor/%.o $(B)/kernel/kernel/console/%.o: KERNEL_CFLAGS += -Os

$(B)/kernel/%.o: %.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

# entry.asm needs the direct map's address, which mm/port.h defines. It cannot include a C header.
ENTRY := $(B)/kernel/arch/x86_64/entry.asm.o
$(ENTRY): NASM_DEFINES = -DDIRECT_MAP=$(shell sed -n 's/^.define MM_DIRECT_MAP \(0x[0-9a-f]*\)ull$$/\1/p' mm/port.h)
$(ENTRY): mm/port.h

$(B)/kernel/%.asm.o: %.asm | packages
	@mkdir -p $(@D)
	$(call say,NASM,$@)
	$(Q)$(NASM) -f elf64 -g -F dwarf $(NASM_DEFINES) -MD $(@:.o=.d) -MP $< -o $@

$(B)/kernel/first.elf: $(KERNEL_OBJECTS) $(KERNEL_LD)
	$(call say,LD,$@)
	$(Q)$(KERNEL_LINK) $(KERNEL_OBJECTS) -o $@

$(B)/kernel/ksyms.asm: $(B)/kernel/first.elf scripts/ksyms.sh
	$(call say,KSYMS,$@)
	$(Q)NM=$(NM) scripts/ksyms.sh $< >$@

$(B)/kernel/ksyms.o: $(B)/kernel/ksyms.asm
	$(call say,NASM,$@)
	$(Q)$(NASM) -f elf64 $< -o $@

# The table comes after everything else in the image, so it moves no symbol. This is checked: a table
# made from the second link must be the same. The CRC32 of the code, which tells builds apart, is written
# into the table afterwards.
$(B)/kernel.elf: $(KERNEL_OBJECTS) $(B)/kernel/ksyms.o $(KERNEL_LD) scripts/build-id.py
	$(call say,LD,$@)
	$(Q)$(KERNEL_LINK) $(KERNEL_OBJECTS) $(B)/kernel/ksyms.o -o $@
	@NM=$(NM) scripts/ksyms.sh $@ | cmp - $(B)/kernel/ksyms.asm && $(PYTHON) scripts/build-id.py $@ || { rm $@; exit 1; }
