// Each function here replaces the libc function of the same name. The model's functions return results in the kernel's
// style: a result, or an errno below zero. The real kernel is entered by syscall(2), because libc's own functions would
// lead back here.
#define _GNU_SOURCE
#include "SimulatedCalls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// Written in Swift.
extern long simulated_recv(int descriptor, void *bytes, size_t count);
extern long simulated_send(int descriptor, const void *bytes, size_t count);
extern long simulated_read(int descriptor, void *bytes, size_t count);
extern long simulated_accept(int descriptor, struct sockaddr *address, socklen_t *length);
extern long simulated_epoll_create(void);
extern long simulated_epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event);
extern long simulated_epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds);
extern long simulated_socket(int family);
extern long simulated_bind(int descriptor, const struct sockaddr *address, socklen_t length);
extern long simulated_listen(int descriptor, int backlog);
extern long simulated_connect(int descriptor, const struct sockaddr *address, socklen_t length);
extern long simulated_name(int descriptor, struct sockaddr *address, socklen_t *length);
extern long simulated_get_option(int descriptor, int level, int name, int *value);
extern long simulated_set_option(int descriptor, int level, int name, const void *value, socklen_t length);
extern long simulated_shutdown(int descriptor, int how);
extern long simulated_close(int descriptor);
extern long simulated_count(int descriptor, unsigned long request, int *count);
extern long simulated_signals(void);
extern long simulated_open_nothing(void);
extern uint64_t simulated_time(int isWallClock);
extern void simulated_random(void *bytes, size_t count);
extern long simulated_descriptor_limit(void);

static int is_on = 0;

void simulation_switch(int on) { is_on = on; }

int simulation_is_on(void) { return is_on; }

static int is_simulated(int descriptor) { return descriptor >= simulated_first; }

static long result(long value) {
    if (value >= 0) return value;
    errno = (int)-value;
    return -1;
}

ssize_t recv(int descriptor, void *bytes, size_t count, int flags) {
    if (is_simulated(descriptor)) return result(simulated_recv(descriptor, bytes, count));
    return syscall(SYS_recvfrom, descriptor, bytes, count, flags, NULL, NULL);
}

ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
    if (is_simulated(descriptor)) return result(simulated_send(descriptor, bytes, count));
    return syscall(SYS_sendto, descriptor, bytes, count, flags, NULL, 0);
}

ssize_t read(int descriptor, void *bytes, size_t count) {
    if (is_simulated(descriptor)) return result(simulated_read(descriptor, bytes, count));
    return syscall(SYS_read, descriptor, bytes, count);
}

int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags) {
    if (is_simulated(descriptor)) return (int)result(simulated_accept(descriptor, address, length));
    return (int)syscall(SYS_accept4, descriptor, address, length, flags);
}

int epoll_create1(int flags) {
    if (is_on) return (int)result(simulated_epoll_create());
    return (int)syscall(SYS_epoll_create1, flags);
}

int epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event) {
    if (is_simulated(epoll)) return (int)result(simulated_epoll_ctl(epoll, operation, descriptor, event));
    return (int)syscall(SYS_epoll_ctl, epoll, operation, descriptor, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds) {
    if (is_simulated(epoll)) return (int)result(simulated_epoll_wait(epoll, events, count, milliseconds));
    return (int)syscall(SYS_epoll_pwait, epoll, events, count, milliseconds, NULL, 0);
}

int socket(int family, int type, int protocol) {
    if (is_on) return (int)result(simulated_socket(family));
    return (int)syscall(SYS_socket, family, type, protocol);
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length) {
    if (is_simulated(descriptor)) return (int)result(simulated_bind(descriptor, address, length));
    return (int)syscall(SYS_bind, descriptor, address, length);
}

int listen(int descriptor, int backlog) {
    if (is_simulated(descriptor)) return (int)result(simulated_listen(descriptor, backlog));
    return (int)syscall(SYS_listen, descriptor, backlog);
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    if (is_simulated(descriptor)) return (int)result(simulated_connect(descriptor, address, length));
    return (int)syscall(SYS_connect, descriptor, address, length);
}

int getsockname(int descriptor, struct sockaddr *address, socklen_t *length) {
    if (is_simulated(descriptor)) return (int)result(simulated_name(descriptor, address, length));
    return (int)syscall(SYS_getsockname, descriptor, address, length);
}

int getsockopt(int descriptor, int level, int name, void *value, socklen_t *length) {
    if (is_simulated(descriptor)) return (int)result(simulated_get_option(descriptor, level, name, value));
    return (int)syscall(SYS_getsockopt, descriptor, level, name, value, length);
}

int setsockopt(int descriptor, int level, int name, const void *value, socklen_t length) {
    if (is_simulated(descriptor)) return (int)result(simulated_set_option(descriptor, level, name, value, length));
    return (int)syscall(SYS_setsockopt, descriptor, level, name, value, length);
}

int shutdown(int descriptor, int how) {
    if (is_simulated(descriptor)) return (int)result(simulated_shutdown(descriptor, how));
    return (int)syscall(SYS_shutdown, descriptor, how);
}

int close(int descriptor) {
    if (is_simulated(descriptor)) return (int)result(simulated_close(descriptor));
    return (int)syscall(SYS_close, descriptor);
}

int ioctl(int descriptor, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (is_simulated(descriptor)) return (int)result(simulated_count(descriptor, request, argument));
    return (int)syscall(SYS_ioctl, descriptor, request, argument);
}

int signalfd(int descriptor, const sigset_t *mask, int flags) {
    if (is_on) return (int)result(simulated_signals());
    return (int)syscall(SYS_signalfd4, descriptor, mask, 8, flags);
}

int pthread_sigmask(int how, const sigset_t *mask, sigset_t *old) {
    // The signals of the model are not those of the process.
    if (is_on) return 0;
    return syscall(SYS_rt_sigprocmask, how, mask, old, 8) == 0 ? 0 : errno;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = va_arg(arguments, int);
    va_end(arguments);
    // What is kept open in reserve is what counts among the descriptors of the model.
    if (is_on && strcmp(path, "/dev/null") == 0) return (int)result(simulated_open_nothing());
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int getrlimit(__rlimit_resource_t resource, struct rlimit *limit) {
    if (is_on && resource == RLIMIT_NOFILE) {
        limit->rlim_cur = limit->rlim_max = (rlim_t)simulated_descriptor_limit();
        return 0;
    }
    return (int)syscall(SYS_prlimit64, 0, resource, NULL, limit);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!is_on) return (int)syscall(SYS_clock_gettime, clock, time);
    uint64_t nanoseconds = simulated_time(clock == CLOCK_REALTIME);
    time->tv_sec = (time_t)(nanoseconds / 1000000000);
    time->tv_nsec = (long)(nanoseconds % 1000000000);
    return 0;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds != NULL) *seconds = now.tv_sec;
    return now.tv_sec;
}

ssize_t getrandom(void *bytes, size_t count, unsigned flags) {
    if (is_on) {
        simulated_random(bytes, count);
        return (ssize_t)count;
    }
    return syscall(SYS_getrandom, bytes, count, flags);
}

// A crash takes the whole process, so this tells the caller which world it was.

static volatile uint64_t watched_world = 0;

static void end(const char *what, int number, int code) {
    char line[128];
    int count = snprintf(line, sizeof line, "world %llu: %s (%d)\n", (unsigned long long)watched_world, what, number);
    if (count > 0) syscall(SYS_write, 2, line, (size_t)count);
    syscall(SYS_exit_group, code);
}

static void crashed(int number) {
    int is_late = number == SIGPROF || number == SIGALRM;
    end(is_late ? "a turn does not end, signal" : "crashed, signal", number, is_late ? 4 : 3);
}

void _exit(int code) {
    // The model ends processes before they would do so themselves.
    if (is_on) end("a worker exits, code", code, 5);
    syscall(SYS_exit_group, code);
    __builtin_unreachable();
}

void simulation_watch(uint64_t world, unsigned seconds) {
    if (watched_world == 0) {
        int numbers[] = {SIGPROF, SIGALRM, SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE};
        for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) signal(numbers[index], crashed);
    }
    watched_world = world;
    // On a busy machine this process may get no processor for a long time, so processor time counts. What waits uses none.
    struct itimerval limit = {.it_value.tv_sec = seconds};
    setitimer(ITIMER_PROF, &limit, NULL);
    alarm(10 * seconds);
}
