/// The parts of Linux that the Glibc module lacks: GNU extensions, prctl, signalfd, statfs. One line each.
///
/// _GNU_SOURCE would change types that the Glibc module already has. GNU functions are therefore declared here.
#pragma once
#ifdef __linux__

#include <linux/magic.h>
#include <linux/stat.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>
#include <sys/wait.h>

int pipe2(int ends[2], int flags);
int syncfs(int file);
int sync_file_range(int file, off_t offset, off_t count, unsigned int flags);
int statx(int folder, const char *path, int flags, unsigned int mask, struct statx *status);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

static const int linux_spawn_setsid = 0x80;  // POSIX_SPAWN_SETSID, <spawn.h>
static const unsigned linux_start_writing = 2;  // SYNC_FILE_RANGE_WRITE, <fcntl.h>
static const int linux_open_as_path = 010000000;  // O_PATH, <fcntl.h>
static const int linux_set_pipe_size = 1031;  // F_SETPIPE_SZ, <fcntl.h>

/// Keeps the memory of this process small, mallopt(3): few arenas, and large blocks are returned when they are freed.
///
/// By default each thread has an arena of its own. A large block that is freed once makes all later ones stay.
static inline void linux_keep_memory_small(void) {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

/// Other processes of the same user cannot read this one's memory and environment, and it leaves no core file, prctl(2).
static inline int linux_keep_private(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
/// Orphans below this process become its children, prctl(2).
static inline int linux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
/// The calling process is sent `signal` when its parent ends, prctl(2).
static inline int linux_signal_on_parent_death(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
static inline int linux_signalfd(const sigset_t *set) { return signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK); }
/// Returns the pid of a child that has ended, or at most 0 if there is none, waitid(2). The child stays a zombie.
static inline pid_t linux_peek_ended_child(void) {
    siginfo_t info;
    info.si_pid = 0;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : -1;
}
/// Sends `signal` with a number that `linux_await_signal` returns, sigqueue(3). Without a number if the queue is full.
static inline int linux_queue_signal(pid_t process, int signal, int number) {
    union sigval value = {.sival_int = number};
    return sigqueue(process, signal, value) == 0 ? 0 : kill(process, signal);
}
/// Waits as sigwaitinfo(2) does. `number` is the one that `sender` queued with the signal, else 0.
static inline int linux_await_signal(const sigset_t *set, pid_t sender, int *number) {
    siginfo_t info;
    int signal = sigwaitinfo(set, &info);
    *number = signal > 0 && info.si_code == SI_QUEUE && info.si_pid == sender ? info.si_value.sival_int : 0;
    return signal;
}
static inline int linux_name_process(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
/// Returns when the file of a `struct stat` was last written, in nanoseconds since 1970. In Swift the fields of timespec
/// are not always visible: several modules define it.
long long linux_modified_time(const void *status);
/// Returns when `path` was created, in nanoseconds since 1970, statx(2). Below 0 if the file system does not know.
static inline long long linux_birth_time(const char *path) {
    struct statx status;
    const int here = -100;  // AT_FDCWD, <fcntl.h>
    if (statx(here, path, 0, STATX_BTIME, &status) != 0 || !(status.stx_mask & STATX_BTIME)) return -1;
    return status.stx_btime.tv_sec * 1000000000LL + status.stx_btime.tv_nsec;
}

#endif
