# firstpage: from power-on to the first page.
#
#   make            builds build/disk.img and everything beside it
#   make help       lists the targets
#
# Nothing is written outside build/, except by `make gallery` and, to the stick, by `make usb`. Sources
# are listed in reading order.

B ?= build
export B MEM CPUS NODES SLOTS DIMMS QMP MAP FIRMWARE MACHINE CPU DISK CONSOLE QEMUFLAGS MEDIA
ifneq ($(origin CMDLINE),undefined)
export CMDLINE
endif

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
NASM    := scripts/nasm # nasm with the project's warnings
LD      := ld
OBJCOPY := objcopy
NM      := nm
PYTHON  := python3 -B # writes no __pycache__ beside the sources

# A line is printed for each file; V=1 shows the commands instead.
Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
            -Wvla -Wundef -Werror

.PHONY: all
all: image host ## builds the image, the kernel and the host programs (plain `make`)

# The packages that the goals need (scripts/setup has the groups) are installed first, all at once:
# every rule that compiles waits for `packages`.

needs-all         := build test
needs-image       := build
needs-host        := build test
needs-replay      := build
needs-run         := build run
needs-bochs       := build bochs
needs-tour        := build bochs debug
needs-debug       := build run debug
needs-usb         := build
needs-floppy      := build
needs-test        := build test run bochs debug bench page browser
needs-test-matrix := build test run bochs
needs-test-damage := build run
needs-fuzz        := build test
needs-bench       := build run bench
needs-lint        := build test lint
needs-coverage    := build test coverage
needs-mutants     := build test
needs-dist        := build
needs-gallery     := build
needs-page        := build page

GOALS := $(or $(MAKECMDGOALS),all)

ifneq ($(filter-out disk disk-bpb floppy,$(MEDIA)),)
$(error MEDIA=$(MEDIA): it must be disk, disk-bpb or floppy)
endif

.PHONY: packages
packages:
	@scripts/setup $(sort $(foreach goal,$(GOALS),$(or $(needs-$(goal)),build test)))
	$(if $(filter test,$(GOALS)),@echo 'test: compiles the image and $(words $(PROGRAMS)) host programs; then the tests run')

# The image: the boot sector, stage2, the kernel.

LIB := lib/string.c lib/format.c lib/crc32.c lib/e820.c lib/numa.c

MM := mm/memblock.c mm/mem_map.c mm/numa.c mm/zone.c mm/bitmap.c mm/buddy.c mm/cache.c mm/cache_shut.c \
      mm/page_alloc.c mm/page_state.c mm/debug.c mm/check.c \
      mm/hotplug.c mm/hotplug_reserve.c mm/hotplug_zone.c mm/page_isolation.c

.PHONY: image
image: $(B)/disk.img
include disk.img.mk
include arch/x86_64/kernel.mk
include tests/host/host.mk
include tools/page/page.mk

# Targets that run the image.

# replay reads the memory map of MAP.
run bochs tour debug: $(if $(MAP),$(HOST)/replay)

.PHONY: run
run: $(B)/$(or $(MEDIA),disk).img | packages ## boots the image in QEMU; MEM= CPUS= NODES= SLOTS= DIMMS= QMP= CMDLINE= MAP= FIRMWARE=help MEDIA=floppy QEMUFLAGS=
	@scripts/run

.PHONY: bochs
bochs: $(B)/$(or $(MEDIA),disk).img | packages ## boots the image in Bochs under its debugger; BOCHS_RC=FILE CMDLINE= MEM= CPUS= MAP= FIRMWARE=
	@BOCHS_RC="$(BOCHS_RC)" scripts/bochs

.PHONY: tour
tour: $(B)/disk.img | packages ## guides through the boot, in Bochs; AUTO=1 CMDLINE= MEM= MAP= FIRMWARE=
	@AUTO="$(AUTO)" scripts/tour

.PHONY: debug
debug: $(B)/disk.img | packages ## boots the image in QEMU under gdb; STAGE=bootsector|stage2|kernel GDB_RC=FILE
	@STAGE="$(STAGE)" GDB_RC="$(GDB_RC)" scripts/debug

.PHONY: usb
usb: export DEV := $(DEV)
usb: export YES := $(YES)
usb: export BPB := $(BPB)
usb: $(if $(DEV),$(B)/disk$(if $(BPB),-bpb).img) ## writes the image to a stick and reads it back; without DEV lists the disks; DEV=/dev/sdX YES=1 BPB=1
	@scripts/usb

.PHONY: floppy
floppy: $(B)/floppy.img ## builds a 1.44 MB image, for drives that are read by CHS only; says how to write it
	@echo "$<: dd if=$< of=/dev/fd0 bs=18k conv=fsync (a USB floppy drive: its /dev/sdX)"

# Targets that test and check.

.PHONY: test
test: all $(B)/floppy.img $(B)/disk-bpb.img $(HOST)/bench_cold $(PAGE)/index.html | packages ## runs everything that has a verdict
	@tests/run

.PHONY: test-matrix
test-matrix: all | packages ## boots the whole matrix and prints its table; docs/matrix.md
	@tests/matrix.py

.PHONY: test-damage
test-damage: $(B)/disk.img | packages ## damages each sector of loader, FAT and kernel in turn, and boots
	@tests/damage.py --all

.PHONY: fuzz
fuzz: TIME ?= 60
fuzz: $(addprefix $(HOST)/fuzz_,$(filter $(FUZZ),$(TARGET:all=$(FUZZ)))) ## runs fuzzers, longer than the test does; TARGET= TIME=seconds; without TARGET lists them
	@tests/fuzz.py $(if $(TARGET),"$(TARGET)" "$(TIME)")

# Figures, and what is left.

.PHONY: bench
bench: $(B)/disk.img $(HOST)/bench $(HOST)/bench_counted $(HOST)/bench_setup $(HOST)/bench_models \
       $(HOST)/bench_ns $(HOST)/bench_cpus $(HOST)/bench_cold | packages ## measures host and kernel; ROW=id-or-prefix JSON=1
	@scripts/bench $(if $(JSON),--json) $(ROW)

.PHONY: lint
lint: all | packages ## runs the formatter, static analysers, include rules
	@scripts/lint

.PHONY: dist
dist: $(B)/dist/firstpage_mm.c ## writes mm/ as one C file with its header and the licence, to build/dist/

$(B)/dist/firstpage_mm.c: $(MM) $(wildcard mm/*.h) scripts/dist LICENSE | packages
	$(call say,DIST,$(@D))
	$(Q)scripts/dist $(@D) $(MM)

.PHONY: gallery
gallery: $(HOST)/replay ## draws docs/gallery.md's pictures again
	@tests/gallery.py --write

.PHONY: clean
clean: ## removes build/
	rm -rf $(B)

.PHONY: help
help: ## prints this list
	@sed -n -e ':join' -e '/\\$$/{N;s/\\\n *//;b join' -e '}' \
	    -e 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

# What no other rule makes.
.DEFAULT:
	@echo "make: there is no rule for $@; \`make help\` lists the targets" >&2; exit 2

-include $(shell find $(B) -path $(B)/release -prune -o -type f -name '*.d' -print 2>/dev/null)
