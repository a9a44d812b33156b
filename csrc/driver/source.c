/* Where a pool's libmongoc clients come from: libmongoc's own pool. */
#include "driver/pool_private.h"

#include <stdlib.h>

struct modm_source {
   atomic_size_t refs; /* the pool and each lane that has a client of it */
   mongoc_client_pool_t *handle;
   bool monitored;
};

void
modm_source_release (modm_source *source)
{
   if (!source || atomic_fetch_sub (&source->refs, 1) > 1)
      return;
   mongoc_client_pool_destroy (source->handle);
   free (source);
}

static modm_source *
source_new (modm_pool *pool, bson_error_t *error)
{
   modm_client *client = pool->client;
   modm_source *source = calloc (1, sizeof *source);
   if (!source) {
      modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
      return NULL;
   }
   source->handle = mongoc_client_pool_new_with_error (client->uri, error);
   if (!source->handle) {
      free (source);
      return NULL;
   }
   atomic_init (&source->refs, 1);
   mongoc_client_pool_max_size (source->handle, (uint32_t) pool->max_clients);
   (void) mongoc_client_pool_set_error_api (source->handle, MONGOC_ERROR_API_VERSION_2);
   source->monitored = client->monitored;
   if (source->monitored) {
      mongoc_apm_callbacks_t *callbacks = modm_listener_callbacks (true);
      (void) mongoc_client_pool_set_apm_callbacks (source->handle, callbacks, &client->listener);
      mongoc_apm_callbacks_destroy (callbacks);
   }
   return source;
}

/* Command events are set for good when libmongoc's pool is made: who wants them later gets another,
 * and the old one goes with the last of its clients. */
static modm_source *
source_of (modm_pool *pool, bson_error_t *error)
{
   pthread_mutex_lock (&pool->source_lock);
   if (pool->source && pool->client->monitored && !pool->source->monitored) {
      modm_source_release (pool->source);
      pool->source = NULL;
   }
   if (!pool->source)
      pool->source = source_new (pool, error);
   if (pool->source)
      atomic_fetch_add (&pool->source->refs, 1);
   modm_source *source = pool->source;
   pthread_mutex_unlock (&pool->source_lock);
   return source;
}

bool
modm_source_pop (modm_pool *pool, modm_lane *lane, bson_error_t *error)
{
   modm_source *source = source_of (pool, error);
   if (!source)
      return false;
   /* never NULL: there are no more lanes than libmongoc's pool may have clients */
   lane->handle = mongoc_client_pool_pop (source->handle);
   lane->source = source;
   return true;
}

void
modm_source_push (modm_lane *lane)
{
   mongoc_client_pool_push (lane->source->handle, lane->handle);
   modm_source_release (lane->source);
}
