// The calls by which a process has children and shares a socket with them. See calls.c.
#define _GNU_SOURCE
#include "SimulatedCalls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Written in Swift.
extern long simulated_size(int descriptor);
extern long simulated_duplicate(int descriptor);
extern long simulated_socketpair(int *descriptors);
extern long simulated_spawn(int shared, int *process);
extern long simulated_kill(int process, int number);
extern long simulated_collect(int process, int waits, int *status);

static int is_child(int process) { return process >= simulated_first_process; }

static long result(long value) {
    if (value >= 0) return value;
    errno = (int)-value;
    return -1;
}

int socketpair(int family, int type, int protocol, int descriptors[2]) {
    if (simulation_is_on()) return (int)result(simulated_socketpair(descriptors));
    return (int)syscall(SYS_socketpair, family, type, protocol, descriptors);
}

int fcntl(int descriptor, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (descriptor < simulated_first) return (int)syscall(SYS_fcntl, descriptor, command, argument);
    if (command == F_DUPFD_CLOEXEC) return (int)result(simulated_duplicate(descriptor));
    // F_GET_SEALS: the size of the model's shared memory never changes.
    if (command == 1034) return simulated_size(descriptor) < 0 ? (int)result(-EINVAL) : 7;
    // Whether a socket blocks is the child's affair, and the model's never do.
    return command == F_GETFL ? O_RDWR | O_NONBLOCK : 0;
}

// The properties of the next child. The worker has one thread, and passes a single descriptor.
static int shared_descriptor = -1;

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int descriptor, int target) {
    shared_descriptor = descriptor;
    return 0;
}

int posix_spawn(pid_t *process, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
    if (!simulation_is_on()) return ENOSYS;
    return (int)-simulated_spawn(shared_descriptor, process);
}

int kill(pid_t process, int number) {
    if (is_child(process)) return (int)result(simulated_kill(process, number));
    return (int)syscall(SYS_kill, process, number);
}

pid_t waitpid(pid_t process, int *status, int options) {
    if (is_child(process)) return (pid_t)result(simulated_collect(process, !(options & WNOHANG), status));
    return (pid_t)syscall(SYS_wait4, process, status, options, NULL);
}

// OpenSSL also asks for the time in this way.
int gettimeofday(struct timeval *time, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}
