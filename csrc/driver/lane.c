/* Lanes: one libmongoc client each, lent by a pool and given back by the last to let go. */
#include "driver/pool_private.h"

#include <stdlib.h>

/* A name that the lane's collection does not have. */
static bool
is_other (const modm_lane *lane, const char *database, const char *name)
{
   return !lane->collection || strcmp (lane->database, database) != 0 ||
          strcmp (mongoc_collection_get_name (lane->collection), name) != 0;
}

static void
drop_collection (modm_lane *lane)
{
   if (lane->collection)
      mongoc_collection_destroy (lane->collection);
   lane->collection = NULL;
}

mongoc_collection_t *
modm_lane_collection (modm_lane *lane, const char *database, const char *name)
{
   if (is_other (lane, database, name)) {
      drop_collection (lane);
      memcpy (lane->database, database, strlen (database) + 1);
      lane->collection = mongoc_client_get_collection (lane->handle, database, name);
   }
   return lane->collection;
}

void
modm_lane_clear (modm_lane *lane)
{
   drop_collection (lane);
   while (lane->cursors)
      modm_cursor_kill (lane->cursors);
   while (lane->sessions)
      modm_session_end (lane->sessions);
}

void
modm_lane_hold (modm_lane *lane)
{
   if (lane->pool)
      atomic_fetch_add (&lane->refs, 1);
}

/* Takes it off the pool's list. */
static void
leave (modm_pool *pool, modm_lane *lane)
{
   pthread_mutex_lock (&pool->lock);
   *lane->link = lane->next;
   if (lane->next)
      lane->next->link = lane->link;
   if (lane->counted)
      pool->clients--;
   if (pool->stopped || modm_worker_wakes (pool))
      pthread_cond_signal (&pool->changed); /* without the lock the pool may be gone */
   pthread_mutex_unlock (&pool->lock);
}

void
modm_lane_release (modm_lane *lane)
{
   if (!lane || !lane->pool || atomic_fetch_sub (&lane->refs, 1) > 1)
      return;
   if (!modm_pool_is_here (lane->pool))
      return; /* the parent's, whose lists may be in any state */
   drop_collection (lane);
   if (lane->handle)
      modm_source_push (lane);
   leave (lane->pool, lane);
   free (lane);
}

modm_lane *
modm_lane_hold_at (modm_pool *pool, modm_lane *const *place)
{
   pthread_mutex_lock (&pool->lock);
   modm_lane *lane = *place;
   if (lane)
      modm_lane_hold (lane);
   pthread_mutex_unlock (&pool->lock);
   return lane;
}

void
modm_lane_let_go (modm_pool *pool, modm_lane **place)
{
   pthread_mutex_lock (&pool->lock);
   modm_lane *lane = *place;
   *place = NULL;
   pthread_mutex_unlock (&pool->lock);
   modm_lane_release (lane);
}

modm_lane *
modm_lane_new (modm_pool *pool)
{
   modm_lane *lane = calloc (1, sizeof *lane);
   if (!lane)
      return NULL;
   lane->pool = pool;
   atomic_init (&lane->refs, 1);
   lane->next = pool->lanes;
   lane->link = &pool->lanes;
   if (lane->next)
      lane->next->link = &lane->next;
   pool->lanes = lane;
   return lane;
}
