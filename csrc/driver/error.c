/* What went wrong, as a table for lua/modm/errors.lua: kind, message, and what the server said. */
#include "driver/driver_private.h"

/* The name of the server's code, or NULL. */
static const char *
name_of (uint32_t code)
{
   static const struct {
      uint32_t code;
      const char *name;
   } names[] = {{2, "BadValue"},
                {9, "FailedToParse"},
                {11, "UserNotFound"},
                {13, "Unauthorized"},
                {14, "TypeMismatch"},
                {18, "AuthenticationFailed"},
                {20, "IllegalOperation"},
                {26, "NamespaceNotFound"},
                {27, "IndexNotFound"},
                {43, "CursorNotFound"},
                {48, "NamespaceExists"},
                {50, "MaxTimeMSExpired"},
                {59, "CommandNotFound"},
                {61, "ShardKeyNotFound"},
                {64, "WriteConcernFailed"},
                {66, "ImmutableField"},
                {68, "IndexAlreadyExists"},
                {72, "InvalidOptions"},
                {85, "IndexOptionsConflict"},
                {86, "IndexKeySpecsConflict"},
                {91, "ShutdownInProgress"},
                {100, "UnsatisfiableWriteConcern"},
                {112, "WriteConflict"},
                {121, "DocumentValidationFailure"},
                {136, "CappedPositionLost"},
                {189, "PrimarySteppedDown"},
                {202, "NetworkInterfaceExceededTimeLimit"},
                {251, "NoSuchTransaction"},
                {262, "ExceededTimeLimit"},
                {10107, "NotWritablePrimary"},
                {11000, "DuplicateKey"},
                {11001, "DuplicateKey"},
                {11600, "InterruptedAtShutdown"},
                {11601, "Interrupted"},
                {11602, "InterruptedDueToReplStateChange"},
                {12582, "DuplicateKey"},
                {13435, "NotPrimaryNoSecondaryOk"},
                {13436, "NotPrimaryOrSecondary"}};
   for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (names[i].code == code)
         return names[i].name;
   return NULL;
}

static bool
is_duplicate (uint32_t code)
{
   return code == 11000 || code == 11001 || code == 12582;
}

static const char *
own_kind (uint32_t code)
{
   switch (code) {
   case MODM_ERROR_CLOSED:
   case MODM_ERROR_THREAD:
      return "ConnectionError";
   case MODM_ERROR_BUSY:
      return "PoolError";
   case MODM_ERROR_TIMEOUT:
      return "TimeoutError";
   case MODM_ERROR_CANCELLED:
      return "CancelledError";
   default:
      return "OperationError";
   }
}

/* The kind of error, and in *server whether its code is one of the server's. */
static const char *
kind_of (uint32_t domain, uint32_t *code, bool *server)
{
   *server = true;
   switch (domain) {
   case MONGOC_ERROR_SERVER:
      return is_duplicate (*code) ? "DuplicateKeyError" : "ServerError";
   case MONGOC_ERROR_WRITE_CONCERN:
      return "WriteConcernError";
   case MONGOC_ERROR_SCRAM:
   case MONGOC_ERROR_SASL:
      *code = 18;
      return "ServerError";
   case MONGOC_ERROR_CLIENT:
      if (*code == MONGOC_ERROR_CLIENT_AUTHENTICATE) {
         *code = 18;
         return "ServerError";
      }
      break;
   default:
      break;
   }
   *server = false;
   switch (domain) {
   case MONGOC_ERROR_SERVER_SELECTION:
   case MONGOC_ERROR_STREAM:
   case MONGOC_ERROR_PROTOCOL:
   case MONGOC_ERROR_CLIENT:
      return "ConnectionError";
   case MODM_ERROR_DOMAIN:
      return own_kind (*code);
   default:
      return "OperationError";
   }
}

/* ---- what the reply holds ---- */

/* The field of a document; false when it is not there or of another type. */
static bool
find (const uint8_t *document, size_t len, const char *name, uint8_t type, modm_element *e)
{
   return modm_reader_find (document, len, name, strlen (name), e) && e->type == type;
}

/* Narrows to the first error document of an array, or to a single one; false when there is none. */
static bool
first_error (const modm_op *op, modm_element *e)
{
   modm_element list;
   modm_reader r;
   if (find (op->reply.data, op->reply.len, "writeErrors", MODM_BSON_ARRAY, &list) &&
       modm_reader_init (&r, list.value, list.size) && modm_reader_next (&r, e))
      return e->type == MODM_BSON_DOCUMENT;
   return find (op->reply.data, op->reply.len, "writeConcernError", MODM_BSON_DOCUMENT, e);
}

static void
set_value (lua_State *L, const char *key, const modm_element *e)
{
   modm_push_value (L, e);
   lua_setfield (L, -2, key);
}

/* Whether the value of the index's field number i is told only as the sort key that a collation has
 * made of it. */
static bool
is_sort_key (const uint8_t *document, size_t len, int i)
{
   modm_element list, e;
   modm_reader r;
   if (!find (document, len, "hexEncoded", MODM_BSON_ARRAY, &list) ||
       !modm_reader_init (&r, list.value, list.size))
      return false;
   while (modm_reader_next (&r, &e))
      if (i-- == 0)
         return e.type == MODM_BSON_BOOL && e.value[0];
   return false;
}

/* value: of the one field, or a table by field for several; without those that nobody could read.
 */
static void
set_values (lua_State *L, const uint8_t *document, size_t len, const modm_element *keys, int n)
{
   modm_reader r;
   modm_element e;
   if (!modm_reader_init (&r, keys->value, keys->size))
      return;
   if (n > 1)
      modm_push_value (L, keys);
   for (int i = 0; modm_reader_next (&r, &e); i++) {
      bool hidden = is_sort_key (document, len, i);
      if (n == 1 && !hidden) {
         set_value (L, "value", &e);
      } else if (n > 1 && hidden) {
         lua_pushlstring (L, e.key, e.key_len);
         lua_pushnil (L);
         lua_rawset (L, -3);
      }
   }
   if (n > 1)
      lua_setfield (L, -2, "value");
}

/* key: the names of the index's fields, "a, b", and their values. */
static void
set_key (lua_State *L, const uint8_t *document, size_t len)
{
   modm_element keys, e;
   modm_reader r;
   if (!find (document, len, "keyValue", MODM_BSON_DOCUMENT, &keys) ||
       !modm_reader_init (&r, keys.value, keys.size))
      return;
   int n = 0;
   lua_pushliteral (L, "");
   while (modm_reader_next (&r, &e)) {
      if (n++)
         lua_pushliteral (L, ", ");
      lua_pushlstring (L, e.key, e.key_len);
      lua_concat (L, n > 1 ? 3 : 2);
   }
   lua_setfield (L, -2, "key");
   set_values (L, document, len, &keys, n);
   if (find (document, len, "keyPattern", MODM_BSON_DOCUMENT, &e))
      set_value (L, "key_pattern", &e);
}

static void
push_write_error (lua_State *L, const modm_element *error)
{
   static const char *const names[][2] = {
      {"index", "index"}, {"code", "code"}, {"errmsg", "message"}};
   modm_element e;
   lua_createtable (L, 0, 6);
   for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (modm_reader_find (error->value, error->size, names[i][0], strlen (names[i][0]), &e))
         set_value (L, names[i][1], &e);
   set_key (L, error->value, error->size);
}

void
modm_op_write_errors_push (lua_State *L, const modm_op *op)
{
   modm_element list, e;
   modm_reader r;
   int n = 0;
   lua_newtable (L);
   if (!op->reply.len ||
       !find (op->reply.data, op->reply.len, "writeErrors", MODM_BSON_ARRAY, &list) ||
       !modm_reader_init (&r, list.value, list.size))
      return;
   while (modm_reader_next (&r, &e)) {
      if (e.type != MODM_BSON_DOCUMENT)
         continue;
      push_write_error (L, &e);
      lua_rawseti (L, -2, ++n);
   }
}

static void
set_labels (lua_State *L, const modm_op *op)
{
   modm_element list, e;
   modm_reader r;
   int n = 0;
   lua_newtable (L);
   if (find (op->reply.data, op->reply.len, "errorLabels", MODM_BSON_ARRAY, &list) &&
       modm_reader_init (&r, list.value, list.size)) {
      while (modm_reader_next (&r, &e)) {
         if (e.type != MODM_BSON_STRING)
            continue;
         size_t len;
         const char *text = modm_element_text (&e, &len);
         lua_pushlstring (L, text, len);
         lua_rawseti (L, -2, ++n);
      }
   }
   lua_setfield (L, -2, "labels");
}

/* The server's name for its code: what the reply says, else what we know. */
static void
set_code (lua_State *L, const modm_op *op, uint32_t code, const modm_element *first)
{
   modm_element e;
   lua_pushinteger (L, (lua_Integer) code);
   lua_setfield (L, -2, "code");
   if ((first && find (first->value, first->size, "codeName", MODM_BSON_STRING, &e)) ||
       (!first && find (op->reply.data, op->reply.len, "codeName", MODM_BSON_STRING, &e))) {
      set_value (L, "code_name", &e);
   } else if (name_of (code)) {
      lua_pushstring (L, name_of (code));
      lua_setfield (L, -2, "code_name");
   }
}

void
modm_op_error_push (lua_State *L, const modm_op *op)
{
   modm_element first, e;
   bool server;
   uint32_t code = op->code;
   bool any = op->reply.len && first_error (op, &first);
   lua_newtable (L);
   lua_pushstring (L, kind_of (op->domain, &code, &server));
   lua_setfield (L, -2, "kind");
   lua_pushstring (L, op->message);
   lua_setfield (L, -2, "message");
   if (op->reply.len)
      set_labels (L, op);
   if (!server)
      return;
   set_code (L, op, code, any ? &first : NULL);
   if (is_duplicate (code) && any)
      set_key (L, first.value, first.size);
   else if (is_duplicate (code) && op->reply.len)
      set_key (L, op->reply.data, op->reply.len);
   if (any && find (first.value, first.size, "errInfo", MODM_BSON_DOCUMENT, &e))
      set_value (L, "info", &e);
}
