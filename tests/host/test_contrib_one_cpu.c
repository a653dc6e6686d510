/*
 * test_contrib_one_cpu.c: tests contrib/one_cpu.c, which is the port here. docs/example/kernel/
 * shows that the part is complete, because it has no other port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "contrib/one_cpu.h"
#include "mm/port.h"

static jmp_buf stopped;
static char text[128];
static size_t length;

void kernel_put(char c)
{
	assert_true(length + 1 < sizeof(text));
	text[length++] = c;
	text[length] = '\0';
}

void kernel_stop(unsigned int status)
{
	longjmp(stopped, 10 + (int)status);
}

static void forget(void)
{
	length = 0;
	text[0] = '\0';
}

static void the_log_gets_all_characters(void **state)
{
	(void)state;
	forget();
	assert_int_equal(printk("%s %d\n", "frame", 7), 8);
	assert_int_equal(printk("%#lx\n", 0x123456789abcul), 15);
	assert_string_equal(text, "frame 7\n0x123456789abc\n");
}

static void a_panic_says_why_and_stops(void **state)
{
	int status;

	(void)state;
	forget();
	status = setjmp(stopped);
	if (!status)
		panic("frame 0x%x is %s", 31u, "free");
	assert_int_equal(status, 11);
	assert_string_equal(text, "frame 0x1f is free: panic\n");
}

static void count(void *argument)
{
	++*(int *)argument;
}

static void there_is_one_cpu(void **state)
{
	int calls = 0;

	(void)state;
	assert_int_equal(port_cpu_id(), 0);
	assert_int_equal(port_nr_cpus(), 1);
	assert_true(port_may_wait());
	port_on_each_cpu(count, &calls);
	assert_int_equal(calls, 1);
	port_irq_restore(port_irq_save());
}

static void a_site_is_its_address(void **state)
{
	char name[8];

	(void)state;
	port_site_name(0x1f, name, sizeof(name));
	assert_string_equal(name, "0x1f");
	port_site_name(0x123456789, name, sizeof(name));
	assert_string_equal(name, "0x12345");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_gets_all_characters),
		cmocka_unit_test(a_panic_says_why_and_stops),
		cmocka_unit_test(there_is_one_cpu),
		cmocka_unit_test(a_site_is_its_address),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("contrib_one_cpu", tests, NULL, NULL);
}
