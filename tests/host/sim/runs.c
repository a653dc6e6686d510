#include "tests/host/sim/runs.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "lib/format.h"
#include "tests/host/sim/random_ops.h"
#include "tests/host/sim/shrink.h"
#include "tests/host/sim/sim.h"

#define NR_NAMES (4 * RUN_OPS) /* a bulk takes up to 64, but an average operation less than two */

struct runs runs = { .patience_ms = 20000 };
struct play runs_play;
const char *runs_complaint;

/* Ends the run after a fault or an endless loop, as a panic would. */
static void on_signal(int number)
{
	snprintf(sim_panic_text, sizeof(sim_panic_text), "%s",
		 number == SIGVTALRM ? "an endless loop" : strsignal(number));
	sim_irqs(true); /* it may have come under a lock */
	if (sim_panic_jump)
		longjmp(*sim_panic_jump, 1);
	signal(number, SIG_DFL); /* not in a run: the signal comes again and ends the program */
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGVTALRM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

static void set_alarm(long ms)
{
	struct itimerval timer = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static const char *look_at_everything(pfn_t pfn)
{
	const struct model *m = &runs_play.model;
	pfn_t end = pfn + 128 < m->base + m->frames ? pfn + 128 : m->base + m->frames;

	set_alarm(runs.patience_ms);
	return model_check(m, pfn, end);
}

/* Performs an operation, and checks the frame that it is about; every so often, everything. */
static const char *step(const struct op *op, size_t number)
{
	const char *bad;
	pfn_t pfn;

	if (runs.narrate)
		op_print(stdout, op);
	bad = play_op(&runs_play, op);
	pfn = runs_play.given[op->name];
	if (!bad && runs.defect)
		bad = runs.defect(op);
	if (bad)
		return bad;
	if (op->kind == OP_DRAIN || pfn == PFN_NONE)
		pfn = runs_play.model.range[0].start;
	else if (op->kind >= OP_FREE)
		pfn += op->at;
	if (runs.narrate || number % runs.machine->check_every == 0)
		return look_at_everything(pfn);
	return model_check_frames(&runs_play.model, pfn, pfn + 1);
}

/*
 * Performs nr operations from a boot; unless draw is NULL, it draws them from seed and leaves them
 * in ops. Returns as run_again() does.
 */
static size_t run(struct op *ops, size_t nr, struct random_ops *draw, uint64_t seed)
{
	static jmp_buf jump;
	static size_t done;

	catch_signals();
	machine_boot(runs.machine, &runs_play.model);
	play_start(&runs_play, NR_NAMES);
	if (draw)
		random_ops_start(draw, &runs_play, seed);
	if (runs.defect)
		runs.defect(NULL);
	runs_complaint = NULL;
	done = 0;
	set_alarm(runs.patience_ms);
	sim_panic_jump = &jump;
	if (setjmp(jump)) {
		runs_complaint = sim_panic_text;
	} else {
		while (!runs_complaint && done < nr) {
			struct op *op = &ops[done++];

			if (draw)
				*op = random_ops_next(draw);
			runs_complaint = step(op, done);
			if (draw && !runs_complaint)
				random_ops_done(draw, op);
		}
		if (!runs_complaint)
			runs_complaint = look_at_everything(runs_play.model.base);
	}
	sim_panic_jump = NULL;
	set_alarm(0);
	play_end(&runs_play);
	return runs_complaint ? done : 0;
}

size_t run_again(struct op *ops, size_t nr)
{
	return run(ops, nr, NULL, 0);
}

void print_sequence(FILE *to, const struct op *ops, size_t nr)
{
	fprintf(to, "# machine %s\n", runs.machine->name);
	for (size_t i = 0; i < nr; i++) {
		fprintf(to, "# ");
		op_print(to, &ops[i]);
	}
	fprintf(to, "# end\n");
}

size_t run_random(uint64_t seed, struct op ops[RUN_OPS], size_t nr, FILE *to)
{
	static struct random_ops draw;

	nr = run(ops, nr, &draw, seed);
	if (!nr)
		return 0;
	fprintf(to, "# %s, seed %llu, operation %zu: %s\n", runs.machine->name, ULL(seed), nr,
		runs_complaint);
	fflush(to);
	nr = shrink(ops, nr, run_again);
	sim_log = to;
	run_again(ops, nr);
	sim_log = NULL;
	fprintf(to, "# shortest sequence, %zu operations: %s\n", nr,
		runs_complaint ? runs_complaint : "?");
	print_sequence(to, ops, nr);
	return nr;
}

/* Returns the next line, without the "# " of a comment and the line's end; NULL after the last. */
static char *next_line(FILE *from)
{
	static char line[256];
	char *text = fgets(line, sizeof(line), from);

	if (!text)
		return NULL;
	text[strcspn(text, "\r\n")] = 0;
	return text[0] == '#' && text[1] == ' ' ? text + 2 : text;
}

long read_sequence(FILE *from, struct op ops[RUN_OPS])
{
	char *line;
	long nr = 0;

	while ((line = next_line(from)) && strncmp(line, "machine ", strlen("machine ")) != 0)
		;
	runs.machine = line ? machine_named(line + strlen("machine ")) : NULL;
	if (!runs.machine) {
		fprintf(stderr, "%s\n",
			line ? "this program has no such machine" : "no line \"machine NAME\"");
		return -1;
	}
	while ((line = next_line(from)) && strcmp(line, "end") != 0) {
		if (nr == RUN_OPS || !op_parse(line, NR_NAMES, &ops[nr])) {
			fprintf(stderr, "not an operation, or one more than allowed: %s\n", line);
			return -1;
		}
		nr++;
	}
	return nr;
}
