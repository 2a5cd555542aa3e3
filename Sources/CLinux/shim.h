// The Linux interfaces that the Glibc module does not offer.
//
// _GNU_SOURCE is not defined here: it changes headers that the Glibc module has already read (`fd_set` clashes). What
// needs it is declared by hand.
#ifndef HOLDFAST_CLINUX_SHIM_H
#define HOLDFAST_CLINUX_SHIM_H

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <resolv.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// Behind _GNU_SOURCE in <sys/socket.h>; a wrong prototype here does not compile beside the real one.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

// Behind _GNU_SOURCE in <spawn.h>; glibc 2.34 and later.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

// Behind _GNU_SOURCE in <sys/mman.h>.
int memfd_create(const char *name, unsigned int flags);

// Function-like macros and casts that Swift cannot import.

static inline int holdfast_ignore_signal(int number) {
    struct sigaction action = {0};
    action.sa_handler = SIG_IGN;
    return sigaction(number, &action, NULL);
}

static inline char **holdfast_environment(void) {
    extern char **environ;
    return environ;
}

// open, fcntl and ioctl are variadic. The Glibc module has Swift forms of the first two, but these live in a Swift
// library, and their calls do not reach functions of these names in the executable.
static inline int holdfast_open(const char *path, int flags) { return open(path, flags); }
static inline int holdfast_open_appended(const char *path) {
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
}
static inline int holdfast_status_flags(int descriptor) { return fcntl(descriptor, F_GETFL); }
static inline int holdfast_set_status_flags(int descriptor, int flags) { return fcntl(descriptor, F_SETFL, flags); }

static inline int holdfast_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 3); }

// Whether a descriptor is closed on exec.
static inline int holdfast_set_closed_on_exec(int descriptor, int closed) {
    return fcntl(descriptor, F_SETFD, closed ? FD_CLOEXEC : 0);
}

static inline int holdfast_unread(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}

static inline int holdfast_exited(int status) { return WIFEXITED(status); }
static inline int holdfast_exit_code(int status) { return WEXITSTATUS(status); }
static inline int holdfast_ending_signal(int status) { return WTERMSIG(status); }

// Variadic as well. The number of written bytes that the peer has not acknowledged, or -1.
static inline int holdfast_unacknowledged(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : -1;
}

// MFD_CLOEXEC | MFD_ALLOW_SEALING, F_ADD_SEALS, F_GET_SEALS, and F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW are behind
// _GNU_SOURCE as well; the values are those of <linux/memfd.h> and <linux/fcntl.h>.
enum { holdfast_sealable = 3, holdfast_size_seals = 7 };
static inline int holdfast_add_seals(int descriptor, int seals) { return fcntl(descriptor, 1033, seals); }
static inline int holdfast_seals(int descriptor) { return fcntl(descriptor, 1034); }

// Memory that several processes see. A relaxed access is an ordinary `mov`: no word is ever read half written, and
// nothing is promised about the order of two.
static inline uint64_t holdfast_load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline void holdfast_store(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }

// How many descriptors go with one message at most; DescriptorSocket.mostPassed is the same.
enum { holdfast_most_passed = 32 };

// Sends bytes, and descriptors with the first of them: none, or up to the number above.
static inline ssize_t holdfast_send_descriptors(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t passed) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(holdfast_most_passed * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed > holdfast_most_passed) {
        errno = EINVAL;
        return -1;
    }
    if (passed > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(passed * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(passed * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, passed * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// Receives bytes. Writes the descriptors that came with them to `descriptors`, which has room for the number above, and how
// many they are to *passed. Sets *is_short if this process had no room for further ones.
static inline ssize_t holdfast_receive_descriptors(
    int socket, void *bytes, size_t count, int *descriptors, size_t *passed, bool *is_short) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(holdfast_most_passed * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    *passed = 0;
    *is_short = false;
    // MSG_CMSG_CLOEXEC is behind _GNU_SOURCE.
    ssize_t result = recvmsg(socket, &message, 0x40000000);
    if (result < 0) return result;
    // The kernel writes one such header at most, and no more into it than there is room for.
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors, CMSG_DATA(header), *passed * sizeof(int));
    }
    *is_short = (message.msg_flags & MSG_CTRUNC) != 0;
    return result;
}

// Sends one datagram to a Unix socket. The path is not ended by a zero byte; one that begins with @ is abstract.
static inline ssize_t holdfast_send_datagram(const char *path, size_t length, const void *bytes, size_t count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (length == 0 || length >= sizeof address.sun_path) {
        errno = EINVAL;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    if (address.sun_path[0] == '@') address.sun_path[0] = 0;
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    ssize_t result = sendto(descriptor, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    int error = errno;
    close(descriptor);
    errno = error;
    return result;
}

// The number of processors on which this process may run, or -1. The library's function and macros for this are behind
// _GNU_SOURCE.
static inline int holdfast_processors(void) {
    unsigned long mask[128] = {0};
    long size = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long word = 0; word < size / (long)sizeof mask[0]; word++) count += __builtin_popcountl(mask[word]);
    return size < 0 ? -1 : count;
}

// Gives up every capability but that of binding ports below 1024, for this process alone: what it starts has none.
static inline int holdfast_keep_binding_only(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    data[CAP_TO_INDEX(CAP_NET_BIND_SERVICE)].permitted = CAP_TO_MASK(CAP_NET_BIND_SERVICE);
    data[CAP_TO_INDEX(CAP_NET_BIND_SERVICE)].effective = CAP_TO_MASK(CAP_NET_BIND_SERVICE);
    return (int)syscall(SYS_capset, &header, data);
}

// Has a program that this process executes keep the capability of binding ports below 1024, if this process has it. The
// program gives it up for what it starts by holdfast_pass_nothing_on. 47 and 2 are PR_CAP_AMBIENT and its RAISE.
static inline int holdfast_pass_binding_on(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    if ((data[CAP_TO_INDEX(CAP_NET_BIND_SERVICE)].permitted & CAP_TO_MASK(CAP_NET_BIND_SERVICE)) == 0) return 0;
    data[CAP_TO_INDEX(CAP_NET_BIND_SERVICE)].inheritable |= CAP_TO_MASK(CAP_NET_BIND_SERVICE);
    if (syscall(SYS_capset, &header, data) < 0) return -1;
    return prctl(47, 2, (unsigned long)CAP_NET_BIND_SERVICE, 0, 0);
}

// Has programs that this process starts or executes get no capability from it, unless they have their own.
static inline int holdfast_pass_nothing_on(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++) data[word].inheritable = 0;
    return (int)syscall(SYS_capset, &header, data);
}

// prctl is variadic. Whether the next change of the user keeps the capabilities that are permitted.
static inline int holdfast_keep_capabilities(int keeps) { return prctl(PR_SET_KEEPCAPS, (unsigned long)keeps, 0, 0, 0); }

// EAI_NODATA is behind _GNU_SOURCE in <netdb.h>.
enum { holdfast_no_address = -5 };

// The resolver's functions are macros for other names.

static inline int holdfast_resolver_open(struct __res_state *state) { return res_ninit(state); }

static inline void holdfast_resolver_close(struct __res_state *state) { res_nclose(state); }

// Makes one name server the only one and forgets resolv.conf and its options. 0 unless memory is short.
static inline int holdfast_resolver_use(struct __res_state *state, const struct sockaddr *address, socklen_t length) {
    res_nclose(state);
    state->options = RES_INIT | RES_RECURSE;
    memset(state->nsaddr_list, 0, sizeof state->nsaddr_list);
    state->nscount = 1;
    if (address->sa_family == AF_INET && length == sizeof(struct sockaddr_in)) {
        // The library copies this one into its own list, because that list is empty.
        memcpy(&state->nsaddr_list[0], address, sizeof(struct sockaddr_in));
        state->_u._ext.nscount = 0;
        return 0;
    }
    if (address->sa_family != AF_INET6 || length != sizeof(struct sockaddr_in6)) return -1;
    // No family in the list tells the library to use its own copy, which res_nclose frees.
    struct sockaddr_in6 *copy = malloc(sizeof *copy);
    if (copy == NULL) return -1;
    memcpy(copy, address, sizeof *copy);
    state->_u._ext.nsaddrs[0] = copy;
    state->_u._ext.nssocks[0] = -1;
    state->_u._ext.nscount = 1;
    return 0;
}

#endif
