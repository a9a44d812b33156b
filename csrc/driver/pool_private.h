/* Pools of threads: who works, where libmongoc's clients come from, and who hears of the end.
 *
 * A pool has jobs in a queue, threads that are started as they are needed, and lanes that are taken
 * from libmongoc's own pool. Its struct is freed by the last thread, after it was stopped. What a
 * job has a hold of (operation, lane) is let go by who ends it. Jobs of one lane never run at once:
 * the queue passes over those whose lane is busy, and those that need one more client than there
 * may be.
 */
#ifndef MODM_POOL_PRIVATE_H
#define MODM_POOL_PRIVATE_H

#include "driver/driver_private.h"

typedef struct modm_notifier modm_notifier;
typedef struct modm_source modm_source;

typedef struct modm_stats {
   uint64_t done, failed, dropped, refused; /* dropped: the caller did not wait for the end */
   uint64_t waited_us, ran_us;              /* of all that was begun, that has ended */
} modm_stats;

typedef struct modm_pool {
   modm_client *client; /* lives as long */
   modm_notifier *notifier;
   unsigned process; /* that its threads are in */
   pthread_mutex_t lock;
   pthread_cond_t changed; /* a job may be begun, or a thread has to end */
   modm_job *first, *last; /* the queue */
   size_t length;
   modm_lane *lanes;
   size_t queued, running, watching; /* operations; watching: change streams, which wait long */
   size_t threads, idle, clients;    /* clients: lanes that have, or are about to have, one */
   size_t max_clients;
   bool waking;          /* an idle thread was woken, and has not come to the queue yet */
   bool stopped, orphan; /* orphan: nobody holds the client any more */
   modm_stats stats;
   pthread_mutex_t source_lock;
   modm_source *source;
} modm_pool;

/* How long the end of a Lua state or of the process waits for threads. */
enum { MODM_END_MS = 2000 };

int64_t modm_now_us (void);

/* The pool of a client in this process, made when need be; NULL when there is no memory. After a
 * fork the parent's is left alone. */
modm_pool *modm_pool_of (lua_State *L, modm_client *client);
/* Whether its threads are in this process. */
bool modm_pool_is_here (const modm_pool *pool);
/* Begins an operation. False with the error. */
bool modm_pool_submit (modm_pool *pool, modm_op *op, bson_error_t *error);
/* Takes an operation out of the queue, or counts it as one whose end nobody waits for. With
 * `waiting`, only the first; false when it was begun. */
bool modm_pool_abandon (modm_pool *pool, modm_op *op, bool waiting);
/* Takes a job, which comes behind `before` (NULL: first), out of the queue. The lock is held. */
void modm_pool_unlink (modm_pool *pool, modm_job *job, modm_job *before);
/* Has a thread do it, now or later. Takes over the job's hold of its lane. */
void modm_pool_add (modm_pool *pool, modm_job *job);
/* No further operation begins, and what waits fails. */
void modm_pool_stop (modm_pool *pool);
/* The same, for a client that nobody holds: its last thread frees both. */
void modm_pool_orphan (modm_pool *pool);
/* A thread ends: the lock is held, and is let go; after this the pool may be gone. */
void modm_pool_leave (modm_pool *pool);
/* A lane without a libmongoc client, held once; NULL when there is no memory. The pool's lock is
 * held. */
modm_lane *modm_lane_new (modm_pool *pool);
/* The lane that a cursor or session has, held once more for a job; NULL when it has none any more.
 */
modm_lane *modm_lane_hold_at (modm_pool *pool, modm_lane *const *place);
/* Takes it from the cursor or session that held it. */
void modm_lane_let_go (modm_pool *pool, modm_lane **place);

/* ---- what threads do (worker.c) ---- */

/* Starts one where more jobs wait than threads, and one more is allowed. False when there is none
 * at all. The lock is held. */
bool modm_worker_start (modm_pool *pool);
/* The next job that may be begun, which it is with this; NULL when there is none. `own` is a
 * fiber's lane, NULL for a thread. The lock is held. */
modm_job *modm_worker_take (modm_pool *pool, modm_lane *own);
/* Whether there is one. */
bool modm_worker_is_wanted (const modm_pool *pool, const modm_lane *own);
/* For how many fibers of an event loop there are jobs that any of them may do: those of one session
 * are for one. */
size_t modm_worker_wants (const modm_pool *pool, int loop);
/* Whether an idle thread is to be woken, which is the caller's to do. One is on its way at a time,
 * and wakes the next when there is more to do: those that just end their work may be first. The
 * lock is held. */
bool modm_worker_wakes (modm_pool *pool);
/* Does it. The lock is held before and after, not meanwhile. */
void modm_worker_do (modm_pool *pool, modm_job *job);

/* ---- the end of the process (leaving.c) ---- */

/* Before the first thread of a process. */
void modm_leaving_guard (void);
/* Around all that a thread does with libraries. False: the process ends, and nothing may begin. */
bool modm_leaving_enter (void);
void modm_leaving_leave (void);

/* ---- where clients come from (source.c) ---- */

/* Gives the lane a client. The first call makes libmongoc's pool, which may look names up. */
bool modm_source_pop (modm_pool *pool, modm_lane *lane, bson_error_t *error);
void modm_source_push (modm_lane *lane);
void modm_source_release (modm_source *source);

/* ---- who hears of the end (notifier.c) ---- */

/* The Lua state's, made when need be, for this process. Throws. */
modm_notifier *modm_notifier_of (lua_State *L);
modm_notifier *modm_notifier_hold (modm_notifier *notifier);
void modm_notifier_release (modm_notifier *notifier);
/* Hands over an operation that has ended, and the pool's hold of it. */
void modm_notifier_add (modm_notifier *notifier, modm_job *job);
uint64_t modm_notifier_next_id (modm_notifier *notifier);
/* The state waits for these threads at its end, not long. */
void modm_notifier_count (modm_notifier *notifier, int threads);
void modm_notifier_open (lua_State *L);

void modm_pool_open (lua_State *L);

/* ---- calls that suspend (coroutine.c) ---- */

/* Gives its lane a libmongoc client. */
bool modm_fiber_connect (struct modm_fiber *fiber, bson_error_t *error);
void modm_coroutine_open (lua_State *L);

#endif
