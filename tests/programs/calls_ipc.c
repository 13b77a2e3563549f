/* SPDX-License-Identifier: Apache-2.0 */
/* Locks on parts of files, POSIX and System V messages and semaphores: see scenario.h. */
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "scenario.h"

struct message {
    long type;
    char byte;
};

static mqd_t queue;
static char bytes[8];
static struct timespec until;
static int id;
static struct message message = {1, 'x'};
static struct sembuf take = {0, -1, 0}, give = {0, 1, 0};
static struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

/* A queue for one message of eight bytes; its name is gone at once. */
static void make_queue_with(int flags)
{
    struct mq_attr size = {.mq_maxmsg = 1, .mq_msgsize = sizeof bytes};
    char name[40];
    snprintf(name, sizeof name, "/loophound-test-%d", (int)getpid());
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600, &size);
    CHECK(queue >= 0 && mq_unlink(name) == 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
}

static void make_queue(void)
{
    make_queue_with(0);
}

static void make_nonblocking_queue(void)
{
    make_queue_with(O_NONBLOCK);
}

static void send_message(void)
{
    CHECK(mq_send(queue, "x", 1, 0) == 0);
}

static void make_full_queue(void)
{
    make_queue();
    send_message();
}

static void receive_message(void)
{
    CHECK(mq_receive(queue, bytes, sizeof bytes, NULL) == 1);
}

static void remove_messages(void)
{
    msgctl(id, IPC_RMID, NULL);
}

static void make_messages(void)
{
    id = msgget(IPC_PRIVATE, 0600);
    CHECK(id >= 0);
    atexit(remove_messages);
}

static void fill_messages(void)
{
    struct msqid_ds status;
    make_messages();
    CHECK(msgctl(id, IPC_STAT, &status) == 0);
    status.msg_qbytes = 1;
    CHECK(msgctl(id, IPC_SET, &status) == 0 && msgsnd(id, &message, 1, 0) == 0);
}

static void put_message(void)
{
    CHECK(msgsnd(id, &message, 1, 0) == 0);
}

static void take_message(void)
{
    CHECK(msgrcv(id, &message, 1, 0, 0) == 1);
}

static void remove_semaphores(void)
{
    semctl(id, 0, IPC_RMID);
}

static void make_semaphores(void)
{
    id = semget(IPC_PRIVATE, 1, 0600);
    CHECK(id >= 0);
    atexit(remove_semaphores);
}

static void give_one(void)
{
    CHECK(semop(id, &give, 1) == 0);
}

/* lockf(3) locks belong to the process: another owner has an open file description lock. */
static void make_files(void)
{
    char name[] = "./loophound-test-XXXXXX";
    pair[0] = mkstemp(name);
    pair[1] = open(name, O_RDWR | O_CLOEXEC);
    CHECK(pair[0] >= 0 && pair[1] >= 0 && unlink(name) == 0);
}

static void make_locked(void)
{
    make_files();
    CHECK(fcntl(pair[1], F_OFD_SETLK, &whole_file) == 0);
}

static void unlock(void)
{
    struct flock free_file = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    CHECK(fcntl(pair[1], F_OFD_SETLK, &free_file) == 0);
}

static long call_mq_receive(void)
{
    return mq_receive(queue, bytes, sizeof bytes, NULL);
}

static long call_mq_timedreceive(void)
{
    return mq_timedreceive(queue, bytes, sizeof bytes, NULL, &until);
}

static long call_mq_send(void)
{
    return mq_send(queue, "x", 1, 0);
}

static long call_mq_timedsend(void)
{
    return mq_timedsend(queue, "x", 1, 0, &until);
}

static long call_msgrcv(void)
{
    return msgrcv(id, &message, 1, 0, 0);
}

static long call_msgrcv_now(void)
{
    return msgrcv(id, &message, 1, 0, IPC_NOWAIT);
}

static long call_msgsnd(void)
{
    return msgsnd(id, &message, 1, 0);
}

static long call_msgsnd_now(void)
{
    return msgsnd(id, &message, 1, IPC_NOWAIT);
}

static long call_semop(void)
{
    return semop(id, &take, 1);
}

static long call_lockf(void)
{
    return lockf(pair[0], F_LOCK, 0);
}

static long call_lockf_now(void)
{
    return lockf(pair[0], F_TLOCK, 0);
}

static long call_lockf64(void)
{
    return lockf64(pair[0], F_LOCK, 0);
}

static long call_lockf64_now(void)
{
    return lockf64(pair[0], F_TLOCK, 0);
}

static long call_semtimedop(void)
{
    const struct timespec timeout = {0, delay_ms * 1000000L};
    return semtimedop(id, &take, 1, &timeout);
}

static long call_semtimedop_now(void)
{
    const struct timespec timeout = {0, 0};
    return semtimedop(id, &take, 1, &timeout);
}

static const struct scenario rows[] = {
    {"mq_receive", make_queue, call_mq_receive, send_message, make_nonblocking_queue,
     call_mq_receive, 0},
    {"mq_timedreceive", make_queue, call_mq_timedreceive, send_message, make_nonblocking_queue,
     call_mq_timedreceive, 0},
    {"mq_send", make_full_queue, call_mq_send, receive_message, make_nonblocking_queue,
     call_mq_send, 0},
    {"mq_timedsend", make_full_queue, call_mq_timedsend, receive_message, make_nonblocking_queue,
     call_mq_timedsend, 0},
    {"msgrcv", make_messages, call_msgrcv, put_message, make_messages, call_msgrcv_now, 0},
    {"msgsnd", fill_messages, call_msgsnd, take_message, make_messages, call_msgsnd_now, 0},
    {"semop", make_semaphores, call_semop, give_one, NULL, NULL, 0},
    {"semtimedop", make_semaphores, call_semtimedop, NULL, make_semaphores, call_semtimedop_now, 0},
    {"lockf", make_locked, call_lockf, unlock, make_files, call_lockf_now, 0},
    {"lockf64", make_locked, call_lockf64, unlock, make_files, call_lockf64_now, 0},
};

SCENARIO_MAIN(rows)
