/* A pool's queue, and its life: made in the process that uses it, freed by its last thread. */
#include "driver/pool_private.h"

#include <stdlib.h>

bool
modm_pool_is_here (const modm_pool *pool)
{
   return pool->process == modm_process ();
}

static modm_pool *
pool_new (modm_client *client, modm_notifier *notifier)
{
   modm_pool *pool = calloc (1, sizeof *pool);
   if (!pool)
      return NULL;
   modm_leaving_guard ();
   pool->client = client;
   pool->notifier = modm_notifier_hold (notifier);
   pool->process = modm_process ();
   pthread_mutex_init (&pool->lock, NULL);
   pthread_cond_init (&pool->changed, NULL);
   pthread_mutex_init (&pool->source_lock, NULL);
   pool->max_clients =
      (size_t) mongoc_uri_get_option_as_int32 (client->uri, MONGOC_URI_MAXPOOLSIZE, 100);
   return pool;
}

modm_pool *
modm_pool_of (lua_State *L, modm_client *client)
{
   modm_notifier *notifier = modm_notifier_of (L);
   if (client->pool && modm_pool_is_here (client->pool))
      return client->pool;
   if (client->pool) /* a thread of the parent may have held its lock */
      pthread_mutex_init (&client->listener.lock, NULL);
   client->pool = pool_new (client, notifier);
   if (!client->pool)
      luaL_error (L, "not enough memory");
   return client->pool;
}

static void
pool_free (modm_pool *pool)
{
   modm_source_release (pool->source);
   pthread_mutex_destroy (&pool->source_lock);
   pthread_cond_destroy (&pool->changed);
   pthread_mutex_destroy (&pool->lock);
   modm_notifier_release (pool->notifier);
   free (pool);
}

/* ---- the queue, under the lock ---- */

static void
append (modm_pool *pool, modm_job *job)
{
   job->next = NULL;
   if (pool->first)
      pool->last->next = job;
   else
      pool->first = job;
   pool->last = job;
   pool->length++;
}

void
modm_pool_unlink (modm_pool *pool, modm_job *job, modm_job *before)
{
   *(before ? &before->next : &pool->first) = job->next;
   if (pool->last == job)
      pool->last = before;
   pool->length--;
}

/* Takes an operation's job out. */
static void
withdraw (modm_pool *pool, modm_job *job)
{
   modm_job *before = NULL;
   for (modm_job *other = pool->first; other != job; other = other->next)
      before = other;
   modm_pool_unlink (pool, job, before);
   job->queued = false;
   pool->queued--;
}

static bool
may_submit (modm_pool *pool, const modm_op *op, bson_error_t *error)
{
   const modm_lane *lane = op->session ? op->session->lane : NULL;
   bool bound = pool->client->suspends ? !lane || lane->fiber : lane != NULL;
   if (pool->stopped) /* by another coroutine, since the operation was made */
      return modm_driver_error (error, MODM_ERROR_CLOSED, "the connection is closed");
   if (op->session && (op->session->ended || op->session->pool != pool || !bound))
      return modm_driver_error (error, MODM_ERROR_ENDED,
                                "the session has ended, or belongs to the process before a fork");
   if (op->cursor && op->cursor->pool != pool)
      return modm_driver_error (error, MODM_ERROR_FORKED,
                                "the cursor belongs to the process before the fork");
   if (pool->queued >= pool->client->max_queue) {
      pool->stats.refused++;
      return modm_driver_error (error, MODM_ERROR_BUSY,
                                "the pool's queue is full: %zu operations wait for a thread "
                                "(max_queue sets the limit)",
                                pool->queued);
   }
   return true;
}

static void
submit (modm_pool *pool, modm_op *op)
{
   struct modm_op_held *held = op->held;
   modm_job *job = &held->job;
   atomic_fetch_add (&held->refs, 1);
   held->under_way = true;
   job->work = MODM_RUN;
   job->subject = op;
   job->id = modm_notifier_next_id (pool->notifier);
   job->since_us = modm_now_us ();
   job->queued = true;
   job->lane = op->cursor && op->cursor->lane ? op->cursor->lane
               : op->session                  ? op->session->lane
                                              : NULL;
   if (job->lane)
      modm_lane_hold (job->lane);
   if (op->session)
      op->session->used = true;
   append (pool, job);
   pool->queued++;
}

/* ---- from Lua's thread ---- */

bool
modm_pool_submit (modm_pool *pool, modm_op *op, bson_error_t *error)
{
   modm_job *job = &op->held->job;
   bool stuck = false, wakes = false;
   pthread_mutex_lock (&pool->lock);
   bool ok = may_submit (pool, op, error);
   if (ok) {
      submit (pool, op);
      stuck = !modm_worker_start (pool);
      if (stuck)
         withdraw (pool, job);
      wakes = modm_worker_wakes (pool);
   }
   pthread_mutex_unlock (&pool->lock);
   if (wakes)
      pthread_cond_signal (&pool->changed);
   if (!stuck)
      return ok;
   op->held->under_way = false;
   modm_lane_release (job->lane);
   modm_op_release (op);
   return modm_driver_error (error, MODM_ERROR_THREAD, "the system gives the pool no thread");
}

bool
modm_pool_abandon (modm_pool *pool, modm_op *op, bool waiting)
{
   modm_job *job = &op->held->job;
   pthread_mutex_lock (&pool->lock);
   bool queued = job->queued;
   bool dropped = queued || !waiting;
   if (queued)
      withdraw (pool, job);
   if (dropped)
      pool->stats.dropped++;
   pthread_mutex_unlock (&pool->lock);
   if (queued) {
      modm_lane_release (job->lane);
      modm_op_release (op);
   }
   return dropped;
}

void
modm_pool_add (modm_pool *pool, modm_job *job)
{
   pthread_mutex_lock (&pool->lock);
   append (pool, job);
   (void) modm_worker_start (pool);
   if (modm_worker_wakes (pool))
      pthread_cond_signal (&pool->changed);
   pthread_mutex_unlock (&pool->lock);
}

/* ---- the end ---- */

/* The operations that wait, as a list; what is left is to be done before the threads end. */
static modm_job *
take_waiting (modm_pool *pool)
{
   modm_job *waiting = NULL, **last = &waiting, *left = pool->first;
   pool->first = pool->last = NULL;
   pool->length = pool->queued = 0;
   while (left) {
      modm_job *job = left;
      left = job->next;
      if (job->work == MODM_RUN) {
         job->queued = false;
         job->next = NULL;
         *last = job;
         last = &job->next;
      } else {
         append (pool, job);
      }
   }
   return waiting;
}

static void
clear_lanes (modm_pool *pool)
{
   for (modm_lane *lane = pool->lanes; lane; lane = lane->next) {
      if (!lane->counted)
         continue;
      modm_lane_hold (lane);
      lane->job.work = MODM_CLEAR_LANE;
      lane->job.subject = lane->job.lane = lane;
      append (pool, &lane->job);
   }
}

void
modm_pool_stop (modm_pool *pool)
{
   bson_error_t error = {0};
   pthread_mutex_lock (&pool->lock);
   modm_job *waiting = NULL;
   if (!pool->stopped) {
      pool->stopped = true;
      waiting = take_waiting (pool);
      clear_lanes (pool);
   }
   pthread_cond_broadcast (&pool->changed);
   pthread_mutex_unlock (&pool->lock);
   modm_driver_error (&error, MODM_ERROR_CLOSED, "the connection is closed");
   while (waiting) {
      modm_job *job = waiting;
      waiting = job->next;
      modm_op_fail (job->subject, &error);
      modm_lane_release (job->lane);
      modm_notifier_add (pool->notifier, job);
   }
}

/* Frees pool and client when nobody has them: no thread, and no holder of the client. */
static void
free_if_last (modm_pool *pool)
{
   bool last = pool->threads == 0 && pool->orphan;
   modm_client *client = pool->client;
   pthread_mutex_unlock (&pool->lock);
   if (last) {
      pool_free (pool);
      modm_client_free (client);
   }
}

void
modm_pool_leave (modm_pool *pool)
{
   pool->threads--;
   pthread_cond_signal (&pool->changed); /* the last but one may have waited for this */
   free_if_last (pool);
}

void
modm_pool_orphan (modm_pool *pool)
{
   modm_pool_stop (pool);
   pthread_mutex_lock (&pool->lock);
   pool->orphan = true;
   free_if_last (pool);
}
