/* Lanes: one libmongoc client each, lent by a pool and given back by the last to let go. */
#include "driver/pool_private.h"

#include <stdlib.h>

void
modm_lane_clear (modm_lane *lane)
{
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
   pthread_cond_signal (&pool->changed);
   pthread_mutex_unlock (&pool->lock);
}

void
modm_lane_release (modm_lane *lane)
{
   if (!lane || !lane->pool || atomic_fetch_sub (&lane->refs, 1) > 1)
      return;
   if (!modm_pool_is_here (lane->pool))
      return; /* the parent's, whose lists may be in any state */
   if (lane->handle)
      modm_source_push (lane);
   leave (lane->pool, lane);
   free (lane);
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
