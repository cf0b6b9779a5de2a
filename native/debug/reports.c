/*
 * Where the sanitizers write what they find: into files, since a shim has no stderr that anybody reads, and by the program
 * itself, since a shim gets the environment of its command.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

/* The shim allocates nothing that could leak. To look for leaks at the end takes ptrace, which a tracer has already. */
static const char options[] = "log_path=" REPORTS ":exitcode=99:detect_leaks=0:detect_stack_use_after_return=1:print_stacktrace=1";

const char *__asan_default_options(void) { return options; }

const char *__ubsan_default_options(void) { return options; }
