// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// System calls that Swift's Glibc module leaves out: they are variadic, or hidden without _GNU_SOURCE.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// prctl(PR_SET_PDEATHSIG, SIGKILL): the calling process is killed when the thread that started it ends.
static inline int linux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

// memfd_create(2), with MFD_CLOEXEC.
static inline int linux_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1U); }

// pipe2(2), with O_CLOEXEC: another thread may start a program at any time.
static inline int linux_pipe(int *ends) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

// renameat2(2), with RENAME_EXCHANGE: each gets the other's name, in one step.
static inline int linux_exchange(const char *one, const char *other) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2U);
}

// open(2) of a file without a name in a directory, with O_TMPFILE.
static inline int linux_unnamed_file(const char *directory, mode_t mode) {
    return open(directory, 020000000 | O_DIRECTORY | O_WRONLY | O_CLOEXEC, mode);
}

// ioctl(TIOCGWINSZ): the size of a terminal.
static inline int linux_window_size(int fd, struct winsize *size) { return ioctl(fd, TIOCGWINSZ, size); }

// fcntl(2) with F_OFD_SETLK: takes the lock of one byte (F_WRLCK), or gives it back (F_UNLCK).
static inline int linux_lock_byte(int fd, int type, long long offset) {
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1 };
    return fcntl(fd, 37, &lock);
}

// socketpair(2) of streams, with SOCK_CLOEXEC.
static inline int linux_socket_pair(int *ends) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }
