/*
 * Whether a pipe still has a reader. Node learns that its reader is gone only when it writes. A program that follows
 * the output of a task may have nothing to write for hours.
 */
#include "shim.h"

#include <poll.h>

/*
 * Not 1: what starts this program makes its descriptors 0 to 2 blocking, and the pipe is the same open file as the stdout of
 * the process that follows. A write of that process would then wait for room, and nothing could end it.
 */
enum { PIPE_FD = 3 };

int wait_for_no_reader(void) {
  /* Errors are reported unasked; macOS reports nothing of a descriptor of which nothing is asked. */
  struct pollfd watched[] = {{0, POLLIN, 0}, {PIPE_FD, POLLHUP, 0}};
  int interrupted = 0;
  while (poll(watched, 2, -1) < 0) {
    if (!is_interrupted(&interrupted)) return UNTOLD;
  }
  return watched[1].revents != 0 && watched[0].revents == 0 ? READER_GONE : UNTOLD;
}
