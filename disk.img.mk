# disk.img.mk: builds the boot sector and stage2, and the images of them, the kernel and its options.
#
#   sector 0              boot sector with the partition table
#   sector 1 up           stage2, at most 63 sectors
#   sector 2048 (64) up   the FAT partition, with KERNEL.ELF and CMDLINE.TXT
#
# disk.img is for sticks and disks; floppy.img, 1.44 MB, is for media that are read by cylinder, head
# and sector only. Their boot sectors differ in the partition table alone, so one source makes both.
#
# mtools writes into the file, so root is not needed. Serial numbers and times are fixed, so that equal
# inputs give equal images. The top Makefile supplies B, CC, NASM, LD, OBJCOPY, PYTHON, LIB and the rule
# for $(B)/kernel.elf.

STAGE2_ASM := stage2/entry.asm stage2/bios.asm stage2/exception.asm \
              stage2/exception64.asm stage2/long.asm
STAGE2_C   := stage2/main.c stage2/progress.c stage2/console.c stage2/bios.c \
              stage2/safe.c stage2/cpu.c stage2/a20.c stage2/memory.c stage2/volume.c stage2/disk.c stage2/partition.c stage2/fat.c \
              stage2/kernel.c stage2/elf.c stage2/options.c stage2/cmdline.c stage2/rsdp.c \
              stage2/paging.c
STAGE2_LIB := lib/string.c lib/format.c lib/crc32.c lib/e820.c lib/progress.c
STAGE2_OBJ := $(patsubst %.asm,$(B)/obj32/%.asm.o,$(STAGE2_ASM)) \
              $(patsubst %.c,$(B)/obj32/%.o,$(STAGE2_C) $(STAGE2_LIB))

PROGRESS   := include/progress.inc include/progress.list

# A 386 has no SSE, which a loader does not need; nothing is position independent. lib/string.c says why
# -fno-tree-loop-distribute-patterns.
STAGE2_CFLAGS := -std=c11 -I. -m32 -march=i386 -ffreestanding -fno-pic -no-pie -fno-stack-protector \
                 -fno-asynchronous-unwind-tables -fno-builtin -mno-sse -mgeneral-regs-only \
                 -mpreferred-stack-boundary=2 -Os -g \
                 -fno-tree-loop-distribute-patterns $(WARNINGS)

# Cylinders have 255 heads and 63 sectors. The partition ends with a whole cylinder, from which firmware
# infers that geometry. The image has 63 MiB, which are also whole cylinders of 16 heads, the geometry
# that emulators assume.
disk_SECTORS      := 129024
disk_PART_LBA     := 2048
disk_PART_SECTORS := 126472
disk_PART_TYPE    := 0x0e
disk_HEADS        := 255
disk_TRACK        := 63
disk_FORMAT       := -c 4

# Type 01 is FAT12. A floppy of this size has 14 sectors of root directory and the medium byte F0.
floppy_SECTORS      := 2880
floppy_PART_LBA     := 64
floppy_PART_SECTORS := 2816
floppy_PART_TYPE    := 0x01
floppy_HEADS        := 2
floppy_TRACK        := 18
floppy_FORMAT       := -c 1 -r 14 -m 0xf0

FAT_SERIAL    := 31706167
# The time is 2026-01-01 00:00:00 UTC, unless the caller sets SOURCE_DATE_EPOCH.
IMAGE_ENV     := TZ=UTC SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-1767225600} MTOOLS_SKIP_CHECK=1

$(B)/obj32/%.asm.o: %.asm stage2/modes.inc $(PROGRESS) | packages
	@mkdir -p $(@D)
	$(call say,NASM,$@)
	$(Q)$(NASM) -f elf32 -g -F dwarf -o $@ $<

$(B)/obj32/%.o: %.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(STAGE2_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/stage2.elf: $(STAGE2_OBJ) stage2/stage2.ld stage2/low_memory.ld
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_i386 -nostdlib -static -z noexecstack --no-warn-rwx-segments --fatal-warnings \
	      -T stage2/stage2.ld -o $@ $(STAGE2_OBJ)

$(B)/stage2.bin: $(B)/stage2.elf
	$(Q)$(OBJCOPY) -O binary $< $@

$(B)/stage2-symbols.ld: $(B)/stage2.bin scripts/stage2-symbols.py
	$(Q)$(PYTHON) scripts/stage2-symbols.py $< > $@.new
	@mv $@.new $@

$(B)/bootsector.o: LAYOUT := disk
$(B)/floppysector.o: LAYOUT := floppy
$(B)/bootsector.o $(B)/floppysector.o: bootsector/bootsector.asm $(PROGRESS) disk.img.mk | packages
	@mkdir -p $(@D)
	$(call say,NASM,$@)
	$(Q)$(NASM) -f elf32 -g -F dwarf $(foreach name,PART_LBA PART_SECTORS PART_TYPE \
	        HEADS TRACK,-D$(name)=$($(LAYOUT)_$(name))) -o $@ $<

$(B)/bootsector.elf $(B)/floppysector.elf: %.elf: %.o $(B)/stage2-symbols.ld bootsector/bootsector.ld stage2/low_memory.ld
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_i386 -nostdlib -static -z noexecstack --no-warn-rwx-segments --fatal-warnings \
	      -T bootsector/bootsector.ld -o $@ $< $(B)/stage2-symbols.ld

$(B)/bootsector.bin $(B)/floppysector.bin: %.bin: %.elf
	$(Q)$(OBJCOPY) -O binary $< $@

$(B)/KERNEL.ELF: $(B)/kernel.elf scripts/seal-kernel.py
	$(call say,SEAL,$@)
	$(Q)$(OBJCOPY) --strip-all $< $@.new
	$(Q)$(PYTHON) scripts/seal-kernel.py $@.new $@.new
	@mv $@.new $@

$(B)/CMDLINE.TXT: disk.img.mk
	@mkdir -p $(@D)
	@printf '\r\n' > $@

PART = $@.new@@$$(($($*_PART_LBA) * 512))

$(B)/disk.img: $(B)/bootsector.bin
$(B)/floppy.img: $(B)/floppysector.bin
$(B)/disk.img $(B)/floppy.img: $(B)/%.img: $(B)/stage2.bin $(B)/KERNEL.ELF $(B)/CMDLINE.TXT scripts/bpb.py disk.img.mk
	$(call say,IMAGE,$@)
	@rm -f $@.new
	$(Q)truncate -s $$(($($*_SECTORS) * 512)) $@.new
	$(Q)dd if=$(filter %sector.bin,$^) of=$@.new conv=notrunc status=none
	$(Q)dd if=$(B)/stage2.bin of=$@.new seek=1 conv=notrunc status=none
	$(Q)$(IMAGE_ENV) mformat -i $(PART) -T $($*_PART_SECTORS) -h $($*_HEADS) -s $($*_TRACK) \
	      $($*_FORMAT) -H $($*_PART_LBA) -N $(FAT_SERIAL) -v FIRSTPAGE ::
	$(Q)$(IMAGE_ENV) mcopy -i $(PART) $(B)/KERNEL.ELF $(B)/CMDLINE.TXT ::
	$(Q)$(if $(filter floppy,$*),$(PYTHON) scripts/bpb.py $@.new)
	@mv $@.new $@

# A variant for BIOSes that boot no stick without a BIOS parameter block.
$(B)/disk-bpb.img: $(B)/disk.img scripts/bpb.py
	$(call say,IMAGE,$@)
	@cp --sparse=always $< $@.new
	$(Q)$(PYTHON) scripts/bpb.py $@.new
	@mv $@.new $@
