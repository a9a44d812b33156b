/* Read preferences, from BSON: {mode, tags, maxStalenessSeconds, hedge}. */
#include "driver/driver_private.h"

static bool
read_mode (const char *text, mongoc_read_mode_t *mode)
{
   static const struct {
      const char *name;
      mongoc_read_mode_t mode;
   } modes[] = {{"primary", MONGOC_READ_PRIMARY},
                {"primaryPreferred", MONGOC_READ_PRIMARY_PREFERRED},
                {"secondary", MONGOC_READ_SECONDARY},
                {"secondaryPreferred", MONGOC_READ_SECONDARY_PREFERRED},
                {"nearest", MONGOC_READ_NEAREST}};
   for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
      if (strcmp (modes[i].name, text) == 0) {
         *mode = modes[i].mode;
         return true;
      }
   }
   return false;
}

static bool
apply (mongoc_read_prefs_t *prefs, const bson_iter_t *iter, bson_error_t *error)
{
   const char *key = bson_iter_key (iter);
   mongoc_read_mode_t mode;
   bson_t part;
   if (strcmp (key, "mode") == 0 && BSON_ITER_HOLDS_UTF8 (iter)) {
      const char *text = bson_iter_utf8 (iter, NULL);
      if (!read_mode (text, &mode))
         return modm_driver_error (error, MODM_ERROR_BSON, "unknown read preference '%s'", text);
      mongoc_read_prefs_set_mode (prefs, mode);
   } else if (strcmp (key, "tags") == 0 && modm_bson_borrow (iter, &part)) {
      mongoc_read_prefs_set_tags (prefs, &part);
   } else if (strcmp (key, "maxStalenessSeconds") == 0 && BSON_ITER_HOLDS_NUMBER (iter)) {
      mongoc_read_prefs_set_max_staleness_seconds (prefs, bson_iter_as_int64 (iter));
   } else if (strcmp (key, "hedge") == 0 && modm_bson_borrow (iter, &part)) {
      modm_read_prefs_set_hedge (prefs, &part);
   } else {
      return modm_driver_error (error, MODM_ERROR_BSON,
                                "read preference: '%s' is unknown or of the wrong type", key);
   }
   return true;
}

bool
modm_op_prefs (const modm_op *op, mongoc_read_prefs_t **out, bson_error_t *error)
{
   bson_t document;
   bson_iter_t iter;
   *out = NULL;
   if (!op->read_preference.len || modm_session_in_transaction (op->session))
      return true;
   if (!modm_op_bson (&op->read_preference, &document, error))
      return false;
   bson_iter_init (&iter, &document);
   mongoc_read_prefs_t *prefs = mongoc_read_prefs_new (MONGOC_READ_PRIMARY);
   bool ok = true;
   while (ok && bson_iter_next (&iter))
      ok = apply (prefs, &iter, error);
   if (ok && !mongoc_read_prefs_is_valid (prefs))
      ok = modm_driver_error (error, MODM_ERROR_BSON, "the read preference is not valid");
   if (ok)
      *out = prefs;
   else
      mongoc_read_prefs_destroy (prefs);
   return ok;
}
