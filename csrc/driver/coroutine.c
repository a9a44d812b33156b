/* Fibers: libmongoc's calls on stacks of their own, which Lua resumes. */
#include "driver/coroutine_private.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What TLS with SCRAM uses, many times over; of it the system gives only what is touched. */
enum { STACK = 256 * 1024 };

/* ---- control ---- */

/* OpenSSL's queue of errors and what we keep of a thread must not pass from fiber to fiber. */
void
modm_fiber_enter (modm_fiber *f)
{
   modm_op *op = f->job && f->job->work == MODM_RUN ? f->job->subject : NULL;
   modm_listener_begin (op);
   modm_log_secrets (&f->pool->client->secrets, false);
   ERR_clear_error ();
   f->entered = true;
   modm_context_switch (&f->outside, &f->inside);
   ERR_clear_error ();
   modm_log_secrets (NULL, false);
   modm_listener_begin (NULL);
}

static void
suspend (modm_fiber *f, modm_want want)
{
   f->request.want = want;
   f->entered = false;
   modm_context_switch (&f->inside, &f->outside);
}

/* To sleep comes back also from one that is unwound: without, a selection of a server would go
 * round and round until its time is over. */
modm_answer
modm_fiber_ask (modm_fiber *f, modm_want want)
{
   if (!f->entered || (f->unwinding && want != MODM_WANT_SLEEP)) {
      f->answer.data = NULL;
      return MODM_ANSWER_FAILED;
   }
   suspend (f, want);
   return f->answer.status;
}

/* What it holds once nobody but the fiber has its lane is no use of the pool's. */
static void
count_idle (modm_fiber *f)
{
   if (!f->lane->counted || atomic_load (&f->lane->refs) > 1)
      return;
   f->lane->counted = false;
   f->pool->clients--;
}

static void
listen_as_told (modm_fiber *f)
{
   modm_client *client = f->pool->client;
   if (!f->lane->handle || f->monitored == client->monitored)
      return;
   f->monitored = client->monitored;
   mongoc_apm_callbacks_t *callbacks = modm_listener_callbacks (f->monitored);
   (void) mongoc_client_set_apm_callbacks (f->lane->handle, callbacks, &client->listener);
   mongoc_apm_callbacks_destroy (callbacks);
}

/* The bottom of the stack. */
static void
work (void *data)
{
   modm_fiber *f = data;
   for (;;) {
      pthread_mutex_lock (&f->pool->lock);
      f->job = modm_worker_take (f->pool, f->lane);
      bool any = f->job != NULL;
      if (any) {
         listen_as_told (f);
         modm_worker_do (f->pool, f->job);
      }
      f->job = NULL;
      count_idle (f);
      pthread_mutex_unlock (&f->pool->lock);
      suspend (f, any ? MODM_WANT_END : MODM_WANT_NOTHING);
   }
}

bool
modm_fiber_connect (modm_fiber *f, bson_error_t *error)
{
   modm_client *client = f->pool->client;
   if (f->closed)
      return modm_driver_error (error, MODM_ERROR_CLOSED, "the connection is closed");
   mongoc_client_t *handle = mongoc_client_new_from_uri_with_error (client->uri, error);
   if (!handle)
      return false;
   (void) mongoc_client_set_error_api (handle, MONGOC_ERROR_API_VERSION_2);
   modm_stream_install (f, handle);
   f->lane->handle = handle;
   listen_as_told (f);
   return true;
}

/* ---- the beginning ---- */

/* A guard page, then the stack. */
static bool
map_stack (modm_fiber *f)
{
   size_t page = (size_t) sysconf (_SC_PAGESIZE);
   f->size = STACK + page;
   f->memory = mmap (NULL, f->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
   if (f->memory == MAP_FAILED)
      return false;
   char *stack = (char *) f->memory + page;
   if (mprotect (stack, STACK, PROT_READ | PROT_WRITE) != 0) {
      (void) munmap (f->memory, f->size);
      return false;
   }
   modm_context_make (&f->inside, stack, STACK, work, f);
   return true;
}

modm_fiber *
modm_fiber_new (modm_pool *pool, int loop, int number)
{
   modm_fiber *f = calloc (1, sizeof *f);
   if (!f || !map_stack (f)) {
      free (f);
      return NULL;
   }
   f->pool = pool;
   f->loop = loop;
   f->number = number;
   pthread_mutex_lock (&pool->lock);
   f->lane = modm_lane_new (pool);
   if (f->lane) {
      f->lane->fiber = f;
      pool->threads++;
   }
   pthread_mutex_unlock (&pool->lock);
   if (f->lane)
      return f;
   (void) munmap (f->memory, f->size);
   free (f);
   return NULL;
}

/* ---- the end ---- */

/* Has what it does fail. False when that would be long: then its memory is given up. */
static bool
unwind (modm_fiber *f)
{
   f->unwinding = true;
   f->answer.status = MODM_ANSWER_FAILED;
   f->answer.data = NULL;
   modm_fiber_enter (f);
   return f->request.want == MODM_WANT_END;
}

/* The operation that it was in ends all the same, for whoever waits: nothing will go on with it. */
static void
give_up (modm_fiber *f)
{
   modm_pool *pool = f->pool;
   bson_error_t error = {0};
   if (f->job->work != MODM_RUN)
      return;
   modm_driver_error (&error, MODM_ERROR_CLOSED, "the connection is closed");
   modm_op_fail (f->job->subject, &error);
   pthread_mutex_lock (&pool->lock);
   pool->running--;
   pool->stats.failed++;
   pthread_mutex_unlock (&pool->lock);
   modm_notifier_add (pool->notifier, f->job);
}

/* What was to be done on its lane, which now fails. */
static void
end_jobs (modm_fiber *f)
{
   modm_job *job;
   pthread_mutex_lock (&f->pool->lock);
   while (atomic_load (&f->lane->refs) > 1 && (job = modm_worker_take (f->pool, f->lane)))
      modm_worker_do (f->pool, job);
   count_idle (f);
   pthread_mutex_unlock (&f->pool->lock);
}

/* Nothing is said to a server: who could answer is gone. */
void
modm_fiber_close (modm_fiber *f)
{
   modm_pool *pool = f->pool;
   modm_lane *lane = f->lane;
   if (f->closed || !modm_pool_is_here (pool))
      return; /* the parent's is left alone */
   f->closed = true;
   if (f->job && !unwind (f)) {
      give_up (f);
      return;
   }
   if (lane->handle) {
      modm_log_secrets (&pool->client->secrets, false);
      mongoc_client_reset (lane->handle);
      modm_lane_clear (lane);
      mongoc_client_destroy (lane->handle);
      lane->handle = NULL;
      modm_log_secrets (NULL, false);
   }
   end_jobs (f);
   lane->fiber = NULL;
   modm_lane_release (lane);
   (void) munmap (f->memory, f->size);
   f->memory = NULL;
   pthread_mutex_lock (&pool->lock);
   modm_pool_leave (pool);
}
