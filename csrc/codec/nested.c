/* Documents inside documents, and references to documents: what the kinds of field need of them. */
#include "codec/codec_private.h"

/* ---- embedded ---- */

/* The model that a table says it is of (_cls), or the field's own; NULL when the name is foreign.
 */
static const modm_schema *
schema_of_table (lua_State *L, int idx, const modm_schema *target)
{
   lua_pushliteral (L, "_cls");
   lua_rawget (L, idx);
   size_t len;
   const char *cls = lua_type (L, -1) == LUA_TSTRING ? lua_tolstring (L, -1, &len) : NULL;
   const modm_schema *s = cls ? modm_schema_class (L, target, cls, len) : target;
   lua_pop (L, 1);
   return s;
}

static int
l_fill (lua_State *L)
{
   modm_document_fill (L, 1, modm_document_check (L, 1), 2);
   return 0;
}

static modm_outcome
embedded_convert (lua_State *L, int idx, const modm_field *f, modm_error *err)
{
   const modm_schema *target = modm_field_target (L, f);
   const char *name = target->name;
   const modm_document *d = modm_document_test (L, idx);
   if (d && modm_schema_isa (d->schema, target))
      return MODM_SAME;
   if (d || lua_type (L, idx) != LUA_TTABLE || modm_mark_test (L, idx) == MODM_ARRAY) {
      modm_error_set (err, "value must be an instance of %s.", name);
      return MODM_REFUSED;
   }
   const modm_schema *s = schema_of_table (L, idx, target);
   if (!s) {
      modm_error_set (err, "its _cls names neither %s nor a model that extends it", name);
      return MODM_REFUSED;
   }
   (void) modm_document_push (L, s);
   lua_pushcfunction (L, l_fill); /* protected: an unknown name refuses the value */
   lua_pushvalue (L, -2);
   lua_pushvalue (L, idx);
   int status = lua_pcall (L, 2, 0, 0);
   if (status == 0)
      return MODM_CONVERTED;
   if (status == LUA_ERRMEM)
      lua_error (L);
   const char *why = lua_tostring (L, -1);
   modm_error_set (err, "%s", why ? why : "not a document");
   lua_pop (L, 2);
   return MODM_REFUSED;
}

/* Every element is a field's and accepted, and nothing that is required is missing. */
static bool
embedded_accepts (const modm_field *f, const modm_element *document)
{
   const modm_schema *s = f->target;
   modm_reader r;
   modm_element e;
   if (!s || document->type != MODM_BSON_DOCUMENT ||
       s->flags & (MODM_SCHEMA_CLEAN | MODM_SCHEMA_CALLBACKS) ||
       !modm_reader_init (&r, document->value, document->size))
      return false;
   uint32_t hint = 0, required = 0;
   while (modm_reader_next (&r, &e)) {
      const modm_field *inner = modm_schema_stored (s, e.key, e.key_len, hint);
      bool is_cls =
         s->cls && e.type == MODM_BSON_STRING && e.key_len == 4 && memcmp (e.key, "_cls", 4) == 0;
      if (is_cls && e.size == s->cls_len + 5 && memcmp (e.value + 4, s->cls, s->cls_len) == 0)
         continue;
      if (!inner || inner->flags & MODM_FIELD_CHOICES || !inner->kind->accepts (inner, &e))
         return false;
      required += (inner->flags & MODM_FIELD_REQUIRED) != 0;
      hint = (uint32_t) inner->id;
   }
   for (uint32_t i = 0; i < s->n; i++) {
      if (s->fields[i].flags & MODM_FIELD_DEFAULT)
         return false; /* it may have to be filled in */
      required -= (s->fields[i].flags & MODM_FIELD_REQUIRED) != 0;
   }
   return !r.bad && required == 0;
}

static bool
embedded_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                 size_t key_len, int depth, modm_error *err)
{
   (void) f;
   const modm_document *d = modm_document_test (L, idx);
   if (!d)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   modm_write_key (b, MODM_BSON_DOCUMENT, key, key_len);
   return modm_encode_document (L, idx, d, b, depth + 1, err);
}

static void
embedded_push (lua_State *L, const modm_field *f, const modm_element *e)
{
   if (e->type == MODM_BSON_DOCUMENT)
      (void) modm_document_load (L, modm_field_target (L, f), 0, e->value, e->size, NULL);
   else
      modm_push_value (L, e);
}

/* ---- references ---- */

static modm_outcome
reference_convert (lua_State *L, int idx, const modm_field *f, modm_error *err)
{
   const modm_schema *target = modm_field_target (L, f);
   const modm_document *d = modm_document_test (L, idx);
   const modm_field *key = &target->fields[target->primary];
   if (d && modm_schema_isa (d->schema, target))
      return MODM_SAME;
   if (d && (modm_document_referred (L, idx) || key->kind->role != MODM_EMBEDDED)) {
      modm_error_set (err, "value must be an instance of %s, or its key, not an instance of %s.",
                      target->name, d->schema->name);
      return MODM_REFUSED;
   }
   return key->kind->convert (L, idx, key, NULL, err);
}

static bool
reference_accepts (const modm_field *f, const modm_element *e)
{
   if (!f->target)
      return e->type == MODM_BSON_OBJECTID;
   const modm_field *key = &f->target->fields[f->target->primary];
   return key->kind->accepts (key, e);
}

static bool
reference_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                  size_t key_len, int depth, modm_error *err)
{
   const modm_document *d = modm_document_referred (L, idx);
   if (d)
      return modm_encode_key_of (L, idx, d, b, key, key_len, err);
   if (!f->target)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   const modm_field *pk = &f->target->fields[f->target->primary];
   return pk->kind->append (L, idx, pk, b, key, key_len, depth, err);
}

static void
reference_push (lua_State *L, const modm_field *f, const modm_element *e)
{
   (void) f;
   modm_push_value (L, e);
}

/* A document among values that have no schema: an embedded one as it is, another as its key. */
static bool
append_document_value (lua_State *L, int idx, modm_buffer *b, const char *key, size_t key_len,
                       int depth, modm_error *err)
{
   const modm_document *d = modm_document_test (L, idx);
   if (!d)
      return modm_error_set (err, "a value of type %s has no BSON form", luaL_typename (L, idx));
   if (d->schema->flags & MODM_SCHEMA_EMBEDDED)
      return embedded_append (L, idx, NULL, b, key, key_len, depth, err);
   return modm_encode_key_of (L, idx, d, b, key, key_len, err);
}

const modm_append_hook modm_append_foreign = append_document_value;

const modm_document_hooks modm_hooks = {.embedded_convert = embedded_convert,
                                        .embedded_accepts = embedded_accepts,
                                        .embedded_append = embedded_append,
                                        .embedded_push = embedded_push,
                                        .reference_convert = reference_convert,
                                        .reference_accepts = reference_accepts,
                                        .reference_append = reference_append,
                                        .reference_push = reference_push};

void
modm_codec_open (lua_State *L)
{
   modm_undo_open (L);
}
