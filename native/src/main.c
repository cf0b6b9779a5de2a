/*
 * A placeholder for the shim, so that what builds, packs and finds it can be tried: it ends at once, or, when it has an
 * argument, waits for a signal.
 */
#include <poll.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) (void)poll(NULL, 0, -1);
  return EXIT_SUCCESS;
}
