/* Update and delete commands by way of libmongoc's update_one and bulk writes, which make them
 * retryable: its write_command_with_opts sends these two without a txnNumber. What a bulk write
 * cannot express (maxTimeMS, constants of a pipeline) goes as a plain command. */
#include "driver/driver_private.h"

typedef struct statement {
   bson_t query, update, options;
   bool update_is_array, multi;
} statement;

/* libmongoc tells a pipeline from a document by its looks, we by its type: where the two differ the
 * bulk write would do something else than the command says. */
static bool
looks_right (const statement *s)
{
   bson_iter_t iter, stage;
   bson_iter_init (&iter, &s->update);
   if (!s->update_is_array)
      return !bson_iter_next (&iter) || strcmp (bson_iter_key (&iter), "0") != 0;
   bool any = false;
   while (bson_iter_next (&iter)) {
      if (!BSON_ITER_HOLDS_DOCUMENT (&iter) || !bson_iter_recurse (&iter, &stage) ||
          !bson_iter_next (&stage) || bson_iter_key (&stage)[0] != '$')
         return false;
      any = true;
   }
   return any;
}

/* Reads one statement of an update or delete; false when a bulk write cannot express it. The
 * options are to be destroyed in either case. */
static bool
read_statement (statement *s, const bson_iter_t *at, bool update)
{
   bson_iter_t iter;
   bool query = false, u = false, limit = false;
   bson_init (&s->options);
   s->multi = false;
   if (!BSON_ITER_HOLDS_DOCUMENT (at) || !bson_iter_recurse (at, &iter))
      return false;
   while (bson_iter_next (&iter)) {
      const char *key = bson_iter_key (&iter);
      if (strcmp (key, "q") == 0) {
         query = BSON_ITER_HOLDS_DOCUMENT (&iter) && modm_bson_borrow (&iter, &s->query);
      } else if (strcmp (key, "u") == 0 && update) {
         s->update_is_array = BSON_ITER_HOLDS_ARRAY (&iter);
         u = modm_bson_borrow (&iter, &s->update);
      } else if (strcmp (key, "multi") == 0 && update) {
         s->multi = bson_iter_as_bool (&iter);
      } else if (strcmp (key, "limit") == 0 && !update) {
         int64_t n = bson_iter_as_int64 (&iter);
         limit = n == 0 || n == 1;
         s->multi = n == 0;
      } else if (strcmp (key, "upsert") == 0 || strcmp (key, "collation") == 0 ||
                 strcmp (key, "hint") == 0 || strcmp (key, "arrayFilters") == 0) {
         bson_append_iter (&s->options, NULL, 0, &iter);
      } else {
         return false;
      }
   }
   if (update)
      BSON_APPEND_BOOL (&s->options, "validate", false);
   return query && (update ? u && looks_right (s) : limit);
}

static bool
add_statement (mongoc_bulk_operation_t *bulk, const statement *s, bool update, bson_error_t *error)
{
   if (update)
      return s->multi ? mongoc_bulk_operation_update_many_with_opts (bulk, &s->query, &s->update,
                                                                     &s->options, error)
                      : mongoc_bulk_operation_update_one_with_opts (bulk, &s->query, &s->update,
                                                                    &s->options, error);
   return s->multi
             ? mongoc_bulk_operation_remove_many_with_opts (bulk, &s->query, &s->options, error)
             : mongoc_bulk_operation_remove_one_with_opts (bulk, &s->query, &s->options, error);
}

/* Adds all statements; *taken false when one cannot be expressed. */
static bool
add_statements (mongoc_bulk_operation_t *bulk, bson_iter_t *list, bool update, bool *taken,
                bson_error_t *error)
{
   bool ok = true;
   while (ok && *taken && bson_iter_next (list)) {
      statement s;
      *taken = read_statement (&s, list, update);
      ok = *taken && add_statement (bulk, &s, update, error);
      bson_destroy (&s.options);
   }
   return ok;
}

/* What a command comes to. */
typedef struct plan {
   bson_t options;
   bson_iter_t list;
   const char *collection;
   const char *statements; /* the field that holds them: "updates" or "deletes" */
   bool update, bypass, unordered, listed;
} plan;

/* Sorts further fields of the command, or its options; false when a bulk write does not take one.
 */
static bool
sort_fields (plan *p, bson_iter_t *iter)
{
   static const char *const taken[] = {"let", "comment", "writeConcern", "sessionId", NULL};
   while (bson_iter_next (iter)) {
      const char *key = bson_iter_key (iter);
      if (modm_is_one_of (key, taken))
         bson_append_iter (&p->options, NULL, 0, iter);
      else if (strcmp (key, "ordered") == 0)
         p->unordered = !bson_iter_as_bool (iter);
      else if (strcmp (key, "bypassDocumentValidation") == 0)
         p->bypass = bson_iter_as_bool (iter);
      else if (strcmp (key, p->statements) == 0 && BSON_ITER_HOLDS_ARRAY (iter))
         p->listed = bson_iter_recurse (iter, &p->list);
      else
         return false;
   }
   return true;
}

/* Reads the command and the options; false when this is no work for a bulk write. */
static bool
make_plan (plan *p, const bson_t *body, const bson_t *options)
{
   bson_iter_t iter;
   bson_iter_init (&iter, body);
   if (!bson_iter_next (&iter) || !BSON_ITER_HOLDS_UTF8 (&iter))
      return false;
   p->update = strcmp (bson_iter_key (&iter), "update") == 0;
   if (!p->update && strcmp (bson_iter_key (&iter), "delete") != 0)
      return false;
   p->statements = p->update ? "updates" : "deletes";
   p->collection = bson_iter_utf8 (&iter, NULL);
   if (!*p->collection || !sort_fields (p, &iter) || !p->listed)
      return false;
   bson_iter_init (&iter, options);
   return sort_fields (p, &iter);
}

/* Runs the plan; *taken false, and nothing sent, when a statement cannot be expressed. */
static bool
run_all (modm_op *op, modm_lane *lane, plan *p, bool *taken, bson_error_t *error)
{
   bson_t reply = BSON_INITIALIZER;
   mongoc_collection_t *collection = modm_lane_collection (lane, op->database, p->collection);
   BSON_APPEND_BOOL (&p->options, "ordered", !p->unordered);
   mongoc_bulk_operation_t *bulk =
      mongoc_collection_create_bulk_operation_with_opts (collection, &p->options);
   if (p->bypass)
      mongoc_bulk_operation_set_bypass_document_validation (bulk, true);
   bool ok = add_statements (bulk, &p->list, p->update, taken, error);
   if (ok && *taken) {
      bson_destroy (&reply);
      ok = mongoc_bulk_operation_execute (bulk, &reply, error) != 0;
      modm_op_bulk_reply (op, &reply, p->update);
   }
   mongoc_bulk_operation_destroy (bulk);
   bson_destroy (&reply);
   return ok;
}

/* The same for one update of one document, as a save is: a bulk write takes more to set up. */
static bool
run_one (modm_op *op, modm_lane *lane, const plan *p, statement *s, bson_error_t *error)
{
   bson_t reply;
   mongoc_collection_t *collection = modm_lane_collection (lane, op->database, p->collection);
   bson_concat (&s->options, &p->options);
   if (p->bypass)
      BSON_APPEND_BOOL (&s->options, "bypassDocumentValidation", true);
   bool ok =
      mongoc_collection_update_one (collection, &s->query, &s->update, &s->options, &reply, error);
   modm_op_bulk_reply (op, &reply, true);
   bson_destroy (&reply);
   return ok;
}

static bool
run_plan (modm_op *op, modm_lane *lane, plan *p, bool *taken, bson_error_t *error)
{
   statement s;
   bson_iter_t first = p->list;
   bool any = bson_iter_next (&first);
   bson_iter_t next = first;
   if (!p->update || p->unordered || !any || bson_iter_next (&next))
      return run_all (op, lane, p, taken, error);
   *taken = read_statement (&s, &first, true);
   bool ok =
      *taken && (s.multi ? run_all (op, lane, p, taken, error) : run_one (op, lane, p, &s, error));
   bson_destroy (&s.options);
   return ok;
}

bool
modm_bulk_run (modm_op *op, modm_lane *lane, bool *taken, bson_error_t *error)
{
   bson_t body, options = BSON_INITIALIZER;
   plan p = {0};
   bool ok = modm_op_bson (&op->body, &body, error) && modm_session_options (op, &options, error);
   *taken = true;
   if (ok) {
      bson_init (&p.options);
      *taken = make_plan (&p, &body, &options);
      ok = *taken && run_plan (op, lane, &p, taken, error);
      bson_destroy (&p.options);
   }
   bson_destroy (&options);
   return ok;
}
