// What the kernel's part of a hand-over takes: the calls of two processes that pass a connection on, without any program around
// them. Prints microseconds of processor time of both for each, when every one wakes up the receiver and when sixteen come at once.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { total = 32000, request = 700, most = 16 };

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

static int checked(int result, const char *call) {
    if (result >= 0) return result;
    perror(call);
    exit(1);
}

static double used(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void watch(int poller, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = descriptor};
    checked(epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

static void unwatch(int poller, int descriptor) {
    checked(epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL), "epoll_ctl");
}

static void await(int poller) {
    struct epoll_event event;
    while (epoll_wait(poller, &event, 1, -1) < 0 && errno == EINTR) continue;
}

static void send_on(int link, int descriptor) {
    static char bytes[request];
    union control control = {0};
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    checked((int)sendmsg(link, &message, MSG_NOSIGNAL), "sendmsg");
}

// The descriptor that came, or -1 when there is none now.
static int take_one(int link) {
    char bytes[65536];
    union control control;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    if (recvmsg(link, &message, MSG_CMSG_CLOEXEC) < 0) return -1;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return descriptor;
}

static void pass_on(int poller, int link, int batch, const int *connections) {
    for (int place = 0; place < batch; place++) {
        unwatch(poller, connections[place]);
        send_on(link, connections[place]);
    }
    for (int place = 0; place < batch; place++) close(connections[place]);
}

static void take_all(int poller, int link, int batch, int *connections) {
    for (int place = 0; place < batch;) {
        connections[place] = take_one(link);
        if (connections[place] >= 0) watch(poller, connections[place++]);
        else await(poller);
    }
}

// A TCP connection of this machine; its other end stays open.
static int connection(void) {
    int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    checked(bind(listener, (struct sockaddr *)&address, length), "bind");
    checked(listen(listener, 1), "listen");
    checked(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
    int client = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(connect(client, (struct sockaddr *)&address, length), "connect");
    int accepted = checked(accept(listener, NULL, NULL), "accept");
    close(listener);
    return accepted;
}

// One of the two processes, which pass the same connections to and fro. The microseconds of processor time that it used.
static double play(int link, int batch, int *connections, int begins) {
    int poller = checked(epoll_create1(0), "epoll_create1");
    watch(poller, link);
    if (begins) for (int place = 0; place < batch; place++) watch(poller, connections[place]);
    double start = used();
    for (int done = 0; done < total; done += batch) {
        if (begins || done > 0) pass_on(poller, link, batch, connections);
        take_all(poller, link, batch, connections);
    }
    if (!begins) pass_on(poller, link, batch, connections);
    return used() - start;
}

// Microseconds of both processes for one hand-over, of which so many come at once.
static double measure(int batch) {
    int link[2], result[2], connections[most];
    checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, link), "socketpair");
    checked(pipe(result), "pipe");
    for (int place = 0; place < batch; place++) connections[place] = connection();
    if (checked(fork(), "fork") == 0) {
        for (int place = 0; place < batch; place++) close(connections[place]);
        double spent = play(link[1], batch, connections, 0);
        checked((int)write(result[1], &spent, sizeof spent), "write");
        _exit(0);
    }
    double spent = play(link[0], batch, connections, 1), other = 0;
    checked((int)read(result[0], &other, sizeof other), "read");
    wait(NULL);
    // Each of the two passes all connections on as often.
    return (spent + other) / (2 * total);
}

int main(void) {
    printf("%.1f %.1f\n", measure(1), measure(most));
    return 0;
}
