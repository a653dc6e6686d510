/*
 * fuzz_boot_info.c: fuzzes kernel/boot_info.c: a block that it accepts must be as boot_info.h
 * promises.
 *
 *   byte 0          bit 0: the CRC stays as it was before the changes
 *   then changes    where (1 byte), offset (2), length (1), that many bytes:
 *                   where % 4 = 0, 1 the fields and ranges, 2 the command line, 3 anywhere;
 *                   with bit 2 set, one byte that fills 16 times the length
 *
 * The changes are made to a block that is right, which then gets a CRC that fits: a fuzzer would
 * hardly ever find one.
 */
#include "tests/host/fuzz/fuzz.h"
#include "tests/host/kernel_block.h"

#define GIB_4        0x100000000ull
#define REASON_BYTES 160 /* as boot_info_init() has it */

static struct boot_info info, before;

static void change(struct fuzz_input *input)
{
	static const struct {
		size_t start, size;
	} places[] = {
		{ 0, offsetof(struct boot_info, bios_calls) },
		{ 0, offsetof(struct boot_info, bios_calls) },
		{ offsetof(struct boot_info, cmdline), BOOT_INFO_CMDLINE_SIZE },
		{ 0, sizeof(struct boot_info) },
	};
	uint8_t where = (uint8_t)fuzz_take(input, 1);
	unsigned int which = where % 4;
	size_t offset = fuzz_take(input, 2) % places[which].size;
	size_t length = fuzz_take(input, 1), left = places[which].size - offset;
	uint8_t *at = (uint8_t *)&info + places[which].start + offset;

	if (where & 4)
		memset(at, (int)fuzz_take(input, 1), length * 16 < left ? length * 16 : left);
	for (size_t i = 0; !(where & 4) && i < length && i < left; i++)
		at[i] = (uint8_t)fuzz_take(input, 1);
}

static void check_fields(void)
{
	FUZZ_CHECK(info.magic == BOOT_INFO_MAGIC && info.version == BOOT_INFO_VERSION);
	FUZZ_CHECK(info.size == sizeof(info));
	FUZZ_CHECK(info.boot_drive <= 0xff);
	FUZZ_CHECK(info.disk_method == DISK_EDD || info.disk_method == DISK_CHS);
	FUZZ_CHECK(info.map_source == MAP_E820 || info.map_source == MAP_E801 ||
		   info.map_source == MAP_88 || info.map_source == MAP_INT12);
	FUZZ_CHECK((info.map_faults & ~MAP_FAULT_ALL) == 0);
	FUZZ_CHECK((info.cmdline_faults & ~CMDLINE_FAULT_ALL) == 0);
	FUZZ_CHECK(info.cmdline_replaced <= BOOT_INFO_CMDLINE_SIZE);
	FUZZ_CHECK(info.int12_kib <= 1024 && info.ebda_segment <= 0xffff);
	FUZZ_CHECK(info.e820_count >= 1 && info.e820_count <= E820_MAX_RAW);
	FUZZ_CHECK(info.rsdp < 0x100000);
	FUZZ_CHECK(info.safe <= SAFE_OPTION && info.shift_flags <= 0xff);
	FUZZ_CHECK(info.kernel_virt == BLOCK_VIRT && info.kernel_size == BLOCK_SIZE);
	FUZZ_CHECK(info.kernel_entry == BLOCK_VIRT && info.kernel_phys % 0x200000 == 0);
	FUZZ_CHECK(info.kernel_phys >= 0x100000 && info.kernel_phys <= GIB_4 - BLOCK_SIZE);
}

/* Ranges lie below 4 GiB, none is empty, and one of the kernel's holds the whole image. */
static void check_ranges(void)
{
	bool holds_kernel = false;

	FUZZ_CHECK(info.range_count >= 1 && info.range_count <= BOOT_INFO_MAX_RANGES);
	for (uint32_t i = 0; i < info.range_count; i++) {
		const struct boot_range *r = &info.ranges[i];

		FUZZ_CHECK(r->kind >= RANGE_REAL_MODE && r->kind <= RANGE_KERNEL);
		FUZZ_CHECK(r->size >= 1 && r->size <= GIB_4 && r->base < GIB_4);
		FUZZ_CHECK(r->base + r->size <= GIB_4);
		holds_kernel |= r->kind == RANGE_KERNEL && r->base <= info.kernel_phys &&
				info.kernel_phys + BLOCK_SIZE <= r->base + r->size;
	}
	FUZZ_CHECK(holds_kernel);
}

static void check_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	FUZZ_CHECK(length < size);
	for (size_t i = 0; i < length; i++)
		FUZZ_CHECK(text[i] >= 0x20 && text[i] <= 0x7e);
}

/* Checks that a block that passed is refused after this bit has been flipped. */
static void check_crc(uint64_t bit, char *reason)
{
	uint8_t *byte = (uint8_t *)&info + bit / 8 % sizeof(info);

	*byte ^= (uint8_t)(1u << bit % 8);
	FUZZ_CHECK(boot_info_is_wrong(&info, &block_image, reason, REASON_BYTES));
	*byte ^= (uint8_t)(1u << bit % 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	bool keep_crc = fuzz_take(&input, 1) & 1;
	char *reason = fuzz_alloc(REASON_BYTES);

	block_make(&info);
	if (keep_crc)
		block_seal(&info);
	while (input.left > 0)
		change(&input);
	if (!keep_crc)
		block_seal(&info);
	before = info;
	if (boot_info_is_wrong(&info, &block_image, reason, REASON_BYTES)) {
		size_t length = strnlen(reason, REASON_BYTES);

		FUZZ_CHECK(length > 0 && length < REASON_BYTES);
	} else {
		check_fields();
		check_ranges();
		check_text(info.cmdline, sizeof(info.cmdline));
		check_text(info.dropped, sizeof(info.dropped));
		check_crc(size * 7919, reason);
	}
	FUZZ_CHECK(memcmp(&info, &before, sizeof(info)) == 0);
	free(reason);
	return 0;
}
