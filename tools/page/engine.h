/*
 * engine.h: what engine.js calls in WebAssembly, and what is called there. Each instance serves one
 * call of engine_replay() or engine_work(): engine.js makes a new one for the next.
 */
#ifndef TOOLS_PAGE_ENGINE_H
#define TOOLS_PAGE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((__export_name__(#name)))
#define IMPORT(name) __attribute__((__import_name__(#name)))

/* Returns where to put the input, of size bytes. A 0 stands behind it already. */
EXPORT(input) void *engine_input(size_t size);

/* Returns where to put a text of size bytes. A 0 stands behind it already. */
EXPORT(text) char *engine_text(size_t size);

/*
 * Does what replay does with an enum output and the number of a map (0: the last complete one) for
 * the input, whose name is "-" or that of a file. Returns its exit status.
 */
EXPORT(replay) int engine_replay(unsigned int output, unsigned int number, const char *name);

/* Does what page_work does for the map in the input; at is "" for none. Returns its exit status. */
EXPORT(work) int engine_work(const char *steps, const char *at);

/* Returns the size in bytes of the kernel's image that is reserved. */
EXPORT(kernel_size) uint64_t engine_kernel_size(void);

/* Calls function(argument): js_attempt() calls this. */
EXPORT(attempt) void engine_attempt(void (*function)(void *argument), void *argument);

/* Calls engine_attempt(). Returns whether that ended with the exception of js_panic(). */
IMPORT(attempt) bool js_attempt(void (*function)(void *argument), void *argument);

/* Appends size bytes to standard output, stream 1, or standard error, stream 2. */
IMPORT(put) void js_put(int stream, const char *text, size_t size);

/* Ends what js_attempt() has called, with an exception that it catches. */
IMPORT(panic) __attribute__((__noreturn__)) void js_panic(void);

/* Ends the call with an exception. */
IMPORT(abort) __attribute__((__noreturn__)) void js_abort(void);

#endif
