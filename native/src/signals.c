#include "shim.h"

#include <signal.h>
#include <string.h>

static const struct {
  const char *name;
  int number;
} signals[] = {
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},   {"SIGTRAP", SIGTRAP},
    {"SIGABRT", SIGABRT}, {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},   {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1},
    {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2}, {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM},
    {"SIGCHLD", SIGCHLD}, {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN},
    {"SIGTTOU", SIGTTOU}, {"SIGURG", SIGURG},   {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ}, {"SIGVTALRM", SIGVTALRM},
    {"SIGPROF", SIGPROF}, {"SIGWINCH", SIGWINCH}, {"SIGIO", SIGIO},   {"SIGPOLL", SIGIO},   {"SIGSYS", SIGSYS},
    {"SIGIOT", SIGABRT},
#ifdef SIGPWR
    {"SIGPWR", SIGPWR},
#endif
#ifdef SIGSTKFLT
    {"SIGSTKFLT", SIGSTKFLT},
#endif
#ifdef SIGINFO
    {"SIGINFO", SIGINFO},
#endif
#ifdef SIGEMT
    {"SIGEMT", SIGEMT},
#endif
};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

int signal_number(const char *name, size_t length) {
  for (size_t i = 0; i < SIGNALS; i++) {
    if (strlen(signals[i].name) == length && memcmp(signals[i].name, name, length) == 0) return signals[i].number;
  }
  return 0;
}

void signal_name(int number, struct text *text) {
  for (size_t i = 0; i < SIGNALS; i++) {
    if (signals[i].number == number) {
      text_add(text, signals[i].name);
      return;
    }
  }
  /* Real-time signals have no names. */
  text_add(text, "SIG");
  text_number(text, (uint64_t)number);
}
