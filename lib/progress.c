/*
 * progress.c: see progress.h.
 */
#include "lib/progress.h"

const char *progress_text(enum progress code)
{
	switch (code) {
#define PROGRESS(code, name, text) \
	case PROGRESS_##name:      \
		return text;
#include "include/progress.list"
#undef PROGRESS
	}
	return "no step";
}
