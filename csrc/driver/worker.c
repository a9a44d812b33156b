/* The threads of a pool: each takes a job that may be begun, does it, and looks for the next. */
#include "driver/coroutine_private.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 256 * 1024 };

int64_t
modm_now_us (void)
{
   struct timespec t;
   (void) clock_gettime (CLOCK_MONOTONIC, &t);
   return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static modm_op *
op_of (const modm_job *job)
{
   return job->work == MODM_RUN ? job->subject : NULL;
}

static bool
is_watch (const modm_job *job)
{
   const modm_op *op = op_of (job);
   return op && op->kind == MODM_OP_WATCH;
}

/* ---- under the lock ---- */

/* A session in fibers is bound to a lane by its first operation. */
static modm_lane *
lane_of (const modm_job *job)
{
   const modm_op *op = op_of (job);
   return job->lane ? job->lane : op && op->session ? op->session->lane : NULL;
}

static bool
may_begin (const modm_pool *pool, const modm_job *job, const modm_lane *own)
{
   const modm_lane *lane = lane_of (job);
   if (own)
      return lane ? lane == own : job->loop == own->fiber->loop && atomic_load (&own->refs) == 1;
   if (lane && lane->busy)
      return false;
   return (lane && lane->counted) || job->work != MODM_RUN || pool->clients < pool->max_clients;
}

/* Gives a job of a fiber, and its session, the fiber's lane. */
static void
bind_to (modm_job *job, modm_lane *own)
{
   const modm_op *op = op_of (job);
   if (!job->lane) {
      modm_lane_hold (own);
      job->lane = own;
   }
   if (op && op->session && !op->session->lane && !op->session->ended) {
      modm_lane_hold (own);
      op->session->lane = own;
   }
}

/* Marks what the job keeps busy. Without memory for a lane it runs without one, and fails. */
static void
begin (modm_pool *pool, modm_job *job, modm_lane *own)
{
   int64_t now = modm_now_us ();
   if (own)
      bind_to (job, own);
   else if (!job->lane)
      job->lane = modm_lane_new (pool);
   modm_lane *lane = job->lane;
   if (lane && !lane->counted && job->work == MODM_RUN) {
      lane->counted = true;
      pool->clients++;
   }
   if (lane)
      lane->busy = true;
   if (job->work != MODM_RUN)
      return;
   job->queued = false;
   pool->queued--;
   pool->running++;
   pool->stats.waited_us += (uint64_t) (now - job->since_us);
   job->since_us = now;
   if (is_watch (job) && ++pool->watching && pool->first)
      (void) modm_worker_start (pool); /* this thread will be long */
}

bool
modm_worker_is_wanted (const modm_pool *pool, const modm_lane *own)
{
   for (const modm_job *job = pool->first; job; job = job->next)
      if (may_begin (pool, job, own))
         return true;
   return false;
}

static bool
follows_its_session (const modm_pool *pool, const modm_job *job)
{
   const modm_op *op = op_of (job), *other;
   for (const modm_job *before = pool->first; op && op->session && before != job;
        before = before->next)
      if ((other = op_of (before)) && other->session == op->session)
         return true;
   return false;
}

size_t
modm_worker_wants (const modm_pool *pool, int loop)
{
   size_t n = 0;
   for (const modm_job *job = pool->first; job; job = job->next)
      n += !lane_of (job) && job->loop == loop && !follows_its_session (pool, job);
   return n;
}

modm_job *
modm_worker_take (modm_pool *pool, modm_lane *own)
{
   modm_job *before = NULL;
   for (modm_job *job = pool->first; job; before = job, job = job->next) {
      if (!may_begin (pool, job, own))
         continue;
      modm_pool_unlink (pool, job, before);
      begin (pool, job, own);
      return job;
   }
   return NULL;
}

bool
modm_worker_wakes (modm_pool *pool)
{
   if (pool->waking || pool->idle == 0 || !modm_worker_is_wanted (pool, NULL))
      return false;
   pool->waking = true;
   return true;
}

static void
count_end (modm_pool *pool, const modm_job *job)
{
   const modm_op *op = job->subject;
   pool->running--;
   if (is_watch (job))
      pool->watching--;
   pool->stats.ran_us += (uint64_t) (modm_now_us () - job->since_us);
   if (op->ok)
      pool->stats.done++;
   else
      pool->stats.failed++;
}

/* A stopped pool keeps one thread until all lanes are back; one that is not, those it may have. */
static bool
may_end (const modm_pool *pool)
{
   if (pool->stopped)
      return !pool->first && (pool->clients == 0 || pool->threads > 1);
   return pool->threads > pool->client->max_threads + pool->watching;
}

/* ---- without it ---- */

static void
run (modm_pool *pool, modm_op *op, modm_lane *lane)
{
   bson_error_t error = {0};
   if (!lane)
      modm_driver_error (&error, MODM_ERROR_MEMORY, "not enough memory");
   else if (!lane->handle && !(lane->fiber ? modm_fiber_connect (lane->fiber, &error)
                                           : modm_source_pop (pool, lane, &error)))
      lane = NULL;
   modm_listener_begin (op);
   modm_op_perform (op, lane, &error);
   modm_listener_begin (NULL);
}

/* Does it. What is not an operation is over with this; an operation's end is told later. */
static void
perform (modm_pool *pool, modm_job *job)
{
   modm_log_secrets (&pool->client->secrets, false);
   switch (job->work) {
   case MODM_RUN:
      run (pool, job->subject, job->lane);
      break;
   case MODM_DROP_CURSOR:
      modm_cursor_free (job->subject);
      break;
   case MODM_END_SESSION:
      modm_session_end (job->subject);
      modm_session_release (job->subject);
      break;
   default:
      modm_lane_clear (job->subject);
   }
   modm_log_secrets (NULL, false);
}

void
modm_worker_do (modm_pool *pool, modm_job *job)
{
   modm_lane *lane = job->lane;
   bool tell = job->work == MODM_RUN; /* else the job may be gone when it is done */
   bool wakes = modm_worker_wakes (pool);
   pthread_mutex_unlock (&pool->lock);
   if (wakes)
      pthread_cond_signal (&pool->changed);
   perform (pool, job);
   pthread_mutex_lock (&pool->lock);
   if (tell)
      count_end (pool, job);
   if (lane)
      lane->busy = false;
   pthread_mutex_unlock (&pool->lock);
   modm_lane_release (lane);
   if (tell)
      modm_notifier_add (pool->notifier, job);
   pthread_mutex_lock (&pool->lock);
}

/* Stays here for ever once the process ends. Enters and leaves with the lock held. */
static void
enter (modm_pool *pool)
{
   if (modm_leaving_enter ())
      return;
   pthread_mutex_unlock (&pool->lock);
   for (;;)
      (void) pause ();
}

static void *
work (void *argument)
{
   modm_pool *pool = argument;
   modm_notifier *notifier = modm_notifier_hold (pool->notifier);
   pthread_mutex_lock (&pool->lock);
   for (;;) {
      enter (pool);
      modm_job *job = modm_worker_take (pool, NULL);
      if (job) {
         modm_worker_do (pool, job);
         modm_leaving_leave ();
      } else if (may_end (pool)) {
         break;
      } else {
         modm_leaving_leave ();
         pool->idle++;
         pthread_cond_wait (&pool->changed, &pool->lock);
         pool->idle--;
         pool->waking = false;
      }
   }
   modm_pool_leave (pool);
   modm_notifier_count (notifier, -1);
   modm_notifier_release (notifier);
   modm_leaving_leave ();
   return NULL;
}

/* False when the system gives none. */
static bool
start_thread (modm_pool *pool)
{
   pthread_t thread;
   pthread_attr_t attributes;
   sigset_t all, before;
   pthread_attr_init (&attributes);
   (void) pthread_attr_setstacksize (&attributes, STACK);
   (void) pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
   sigfillset (&all);
   (void) pthread_sigmask (SIG_SETMASK, &all, &before); /* signals are the program's */
   bool started = pthread_create (&thread, &attributes, work, pool) == 0;
   (void) pthread_sigmask (SIG_SETMASK, &before, NULL);
   pthread_attr_destroy (&attributes);
   return started;
}

bool
modm_worker_start (modm_pool *pool)
{
   const modm_client *client = pool->client;
   bool wanted = pool->length > pool->idle && pool->threads < client->max_threads + pool->watching;
   if (wanted && !client->suspends) { /* Lua starts fibers */
      bool started = start_thread (pool);
      pool->threads += started;
      modm_notifier_count (pool->notifier, started);
   }
   return client->suspends || pool->threads > 0;
}
