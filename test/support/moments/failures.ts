import { constants } from 'node:os';
import type { Plan } from './at-call.ts';

type Failure = NonNullable<Plan['failure']>;

/** How calls to the system fail in real life, by their numbers on x64. What is not here is told of no failure. */
const failing: Readonly<Record<number, readonly string[]>> = {
  0: ['EINTR', 'EIO', 'EAGAIN'], // read
  1: ['EINTR', 'EIO', 'ENOSPC', 'EAGAIN'], // write
  2: ['EINTR', 'EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EIO', 'ENOSPC'], // open
  5: ['EIO', 'ENOMEM'], // fstat
  7: ['EINTR', 'ENOMEM'], // poll
  9: ['ENOMEM'], // mmap
  16: ['EIO', 'ENOMEM'], // ioctl
  17: ['EINTR', 'EIO'], // pread
  18: ['EINTR', 'EIO', 'ENOSPC'], // pwrite
  22: ['EMFILE', 'ENFILE'], // pipe
  28: ['ENOMEM'], // madvise
  33: ['EINTR', 'EMFILE'], // dup2
  35: ['EINTR'], // nanosleep
  41: ['EMFILE', 'ENOMEM'], // socket
  43: ['EMFILE', 'ENFILE', 'ENOMEM', 'ECONNABORTED'], // accept
  44: ['EAGAIN', 'EPIPE', 'ENOBUFS'], // sendto
  45: ['EAGAIN', 'ECONNRESET', 'EINTR'], // recvfrom
  49: ['EACCES', 'ENOSPC', 'EADDRINUSE'], // bind
  50: ['EADDRINUSE'], // listen
  55: ['ENOBUFS'], // getsockopt
  56: ['EAGAIN', 'ENOMEM', 'EPERM'], // clone
  57: ['EAGAIN', 'ENOMEM'], // fork
  58: ['EAGAIN', 'ENOMEM'], // vfork
  59: ['EACCES', 'ENOENT', 'ENOMEM', 'EIO', 'E2BIG'], // execve
  62: ['EPERM', 'ESRCH'], // kill
  72: ['EMFILE', 'ENOLCK', 'EINTR'], // fcntl
  77: ['EIO', 'EINTR'], // ftruncate
  80: ['EACCES', 'ENOENT', 'EIO'], // chdir
  83: ['EACCES', 'ENOSPC', 'EIO'], // mkdir
  84: ['EACCES', 'EBUSY', 'EIO'], // rmdir
  89: ['EACCES', 'ENOENT', 'ENOMEM'], // readlink
  109: ['EPERM', 'EACCES'], // setpgid
  112: ['EPERM'], // setsid
  141: ['EACCES'], // setpriority
  157: ['EINVAL', 'ENOSYS', 'EPERM'], // prctl
  217: ['EIO', 'ENOMEM'], // getdents64
  254: ['ENOSPC', 'ENOMEM', 'EACCES'], // inotify_add_watch
  257: ['EINTR', 'EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EIO', 'ENOSPC'], // openat
  259: ['EACCES', 'ENOSPC', 'EIO'], // mknodat
  262: ['EIO', 'ENOMEM'], // newfstatat
  263: ['EACCES', 'EIO'], // unlinkat
  271: ['EINTR', 'ENOMEM'], // ppoll
  275: ['EINTR', 'ENOMEM', 'EIO', 'ENOSPC', 'EINVAL'], // splice
  283: ['EMFILE', 'ENOMEM'], // timerfd_create
  286: ['EINVAL'], // timerfd_settime
  289: ['EMFILE', 'ENOMEM'], // signalfd4
  293: ['EMFILE', 'ENFILE'], // pipe2
  294: ['EMFILE', 'ENOMEM'], // inotify_init1
  302: ['EPERM'], // prlimit64
  319: ['EMFILE', 'ENOMEM', 'ENOSYS'], // memfd_create
  424: ['EPERM', 'ENOSYS', 'ESRCH'], // pidfd_send_signal
  434: ['EMFILE', 'ENOMEM', 'EPERM', 'ENOSYS'], // pidfd_open
  436: ['ENOSYS', 'EPERM', 'ENOMEM'], // close_range
};

/** How a call of that number may fail: once in each way, and in the first one so often that no repetition helps. */
export function failuresOf(call: number): Failure[] {
  const once = (failing[call] ?? []).map((code) => ({
    call,
    code,
    errno: constants.errno[code as keyof typeof constants.errno],
    times: 1,
  }));
  return once.flatMap((failure, at) => (at === 0 ? [failure, { ...failure, times: 12 }] : [failure]));
}
