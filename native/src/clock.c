#include "shim.h"

#include <time.h>

static uint64_t milliseconds(clockid_t id) {
  struct timespec now = {0};
  (void)clock_gettime(id, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

#ifdef __APPLE__
/* On macOS, CLOCK_MONOTONIC goes on during sleep. A timeout counts only the time in which the machine ran. */
uint64_t clock_ms(void) { return milliseconds(CLOCK_UPTIME_RAW); }
#else
uint64_t clock_ms(void) { return milliseconds(CLOCK_MONOTONIC); }
#endif

uint64_t clock_epoch_ms(void) { return milliseconds(CLOCK_REALTIME); }

struct moment clock_now(void) { return (struct moment){clock_ms(), clock_epoch_ms()}; }
