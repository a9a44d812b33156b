/* Text: CharField and EmailField. */
#include "field/field_private.h"

static int
l_tolstring (lua_State *L)
{
   luaL_tolstring (L, 1, NULL);
   return 1;
}

/* The text of a value that has one. What prints as "table: 0x..." has none. */
static bool
push_text (lua_State *L, int idx, modm_error *err)
{
   int type = lua_type (L, idx);
   if (type == LUA_TNUMBER || type == LUA_TBOOLEAN || modm_value_test (L, idx)) {
      luaL_tolstring (L, idx, NULL);
      return true;
   }
   if ((type != LUA_TTABLE && type != LUA_TUSERDATA) || !luaL_getmetafield (L, idx, "__tostring"))
      return false;
   lua_pop (L, 1);
   /* a user's __tostring may throw: that refuses the value, with its message */
   lua_pushcfunction (L, l_tolstring);
   lua_pushvalue (L, idx);
   int status = lua_pcall (L, 1, 1, 0);
   if (status == 0)
      return true;
   if (status == LUA_ERRMEM)
      lua_error (L); /* which is nobody's fault */
   const char *why = lua_tostring (L, -1);
   modm_error_set (err, "its __tostring failed: %s", why ? why : "(no message)");
   lua_pop (L, 1);
   return false;
}

modm_outcome
modm_char_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f;
   (void) v;
   if (lua_type (L, idx) == LUA_TSTRING)
      return MODM_SAME;
   err->message[0] = '\0';
   if (push_text (L, idx, err))
      return MODM_CONVERTED;
   return err->message[0] ? MODM_REFUSED : modm_refuse (L, idx, "a string", err);
}

void
modm_char_compile (lua_State *L, int options, modm_field *f)
{
   int64_t n;
   if (modm_option_integer (L, options, "min_length", &n)) {
      f->flags |= MODM_FIELD_HAS_MIN;
      f->limit.length.min = (uint32_t) n;
   }
   if (modm_option_integer (L, options, "max_length", &n)) {
      f->flags |= MODM_FIELD_HAS_MAX;
      f->limit.length.max = (uint32_t) n;
   }
}

static bool
length_fits (const modm_field *f, size_t chars)
{
   return !((f->flags & MODM_FIELD_HAS_MIN) && chars < f->limit.length.min) &&
          !((f->flags & MODM_FIELD_HAS_MAX) && chars > f->limit.length.max);
}

void
modm_char_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   size_t len, chars;
   const char *text = lua_tolstring (L, idx, &len);
   if (!modm_utf8_check (text, len, &chars)) {
      modm_report (v, "not valid UTF-8.");
      return;
   }
   if ((f->flags & MODM_FIELD_HAS_MIN) && chars < f->limit.length.min) {
      modm_report (v, "%s is under the minimum length of %u.", modm_describe (L, idx),
                   f->limit.length.min);
      lua_pop (L, 1);
   }
   if ((f->flags & MODM_FIELD_HAS_MAX) && chars > f->limit.length.max)
      modm_report (v, "value exceeds the maximum length of %u.", f->limit.length.max);
}

static bool
is_char (const modm_field *f, const char *text, size_t len)
{
   size_t chars;
   return len > 0 && modm_utf8_check (text, len, &chars) && length_fits (f, chars);
}

bool
modm_char_fits (lua_State *L, int idx, const modm_field *f)
{
   size_t len;
   const char *text = modm_text_at (L, idx, &len);
   return text && is_char (f, text, len);
}

static bool
write_text (modm_buffer *b, const char *key, size_t key_len, const char *text, size_t len)
{
   modm_write_string_element (b, key, key_len, text, len);
   return true;
}

bool
modm_char_put (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
               size_t key_len)
{
   size_t len;
   const char *text = modm_text_at (L, idx, &len);
   return text && is_char (f, text, len) && write_text (b, key, key_len, text, len);
}

bool
modm_char_accepts (const modm_field *f, const modm_element *e)
{
   if (e->type != MODM_BSON_STRING)
      return false;
   size_t len;
   const char *text = modm_element_text (e, &len);
   return is_char (f, text, len);
}

bool
modm_string_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                    size_t key_len, int depth, modm_error *err)
{
   (void) f;
   size_t len;
   const char *text = modm_text_at (L, idx, &len);
   if (!text)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   if (!modm_utf8_check (text, len, NULL))
      return modm_error_set (err, "not valid UTF-8");
   return write_text (b, key, key_len, text, len);
}

/* ---- e-mail: something, one @, something; strict looks at the domain too ---- */

void
modm_email_compile (lua_State *L, int options, modm_field *f)
{
   if (modm_option_boolean (L, options, "strict"))
      f->flags |= MODM_FIELD_STRICT;
}

/* Labels of letters, digits and inner hyphens, at least two, none over 63, together not over 253
 * (RFC 1035, 2.3.4); the last one is no number (RFC 3696, 2). */
static bool
is_domain (const char *at, const char *end)
{
   int labels = 0;
   bool number = false;
   if (end - at > 253)
      return false;
   while (at <= end) {
      const char *start = at;
      number = true;
      while (at < end && *at != '.') {
         char c = *at++;
         bool alnum = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c & 0x80);
         if (!alnum && c != '-')
            return false;
         number = number && c >= '0' && c <= '9';
      }
      if (at == start || at - start > 63 || *start == '-' || at[-1] == '-')
         return false;
      labels++;
      at++;
   }
   return labels >= 2 && !number;
}

static bool
is_email (const modm_field *f, const char *text, size_t len)
{
   const char *at = memchr (text, '@', len);
   const char *end = text + len;
   if (!at || at == text || at + 1 == end || memchr (at + 1, '@', (size_t) (end - at - 1)))
      return false;
   if (!(f->flags & MODM_FIELD_STRICT))
      return true;
   for (const char *p = text; p < at; p++)
      if ((unsigned char) *p <= ' ' || *p == 127)
         return false;
   return is_domain (at + 1, end);
}

modm_outcome
modm_email_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f;
   (void) v;
   return lua_type (L, idx) == LUA_TSTRING ? MODM_SAME : modm_refuse (L, idx, "a string", err);
}

void
modm_email_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   if (!modm_utf8_check (text, len, NULL))
      modm_report (v, "not valid UTF-8.");
   else if (!is_email (f, text, len))
      modm_report (v, "not a valid e-mail address");
}

bool
modm_email_fits (lua_State *L, int idx, const modm_field *f)
{
   size_t len;
   const char *text = modm_text_at (L, idx, &len);
   return text && modm_utf8_check (text, len, NULL) && is_email (f, text, len);
}

bool
modm_email_put (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                size_t key_len)
{
   size_t len;
   const char *text = modm_text_at (L, idx, &len);
   return text && modm_utf8_check (text, len, NULL) && is_email (f, text, len) &&
          write_text (b, key, key_len, text, len);
}

bool
modm_email_accepts (const modm_field *f, const modm_element *e)
{
   if (e->type != MODM_BSON_STRING)
      return false;
   size_t len;
   const char *text = modm_element_text (e, &len);
   return modm_utf8_check (text, len, NULL) && is_email (f, text, len);
}

/* ---- in words of $jsonSchema ---- */

void
modm_char_describe (lua_State *L, const modm_field *f)
{
   if (f->flags & MODM_FIELD_HAS_MIN)
      modm_rule_integer (L, "minLength", f->limit.length.min);
   if (f->flags & MODM_FIELD_HAS_MAX)
      modm_rule_integer (L, "maxLength", f->limit.length.max);
}

#define ALNUM "A-Za-z0-9\\x{80}-\\x{10FFFF}"
#define LABEL "[" ALNUM "](?:[-" ALNUM "]{0,61}[" ALNUM "])?"

void
modm_email_describe (lua_State *L, const modm_field *f)
{
   if (f->flags & MODM_FIELD_STRICT) {
      modm_rule_text (L, "pattern", "^[^@\\x00-\\x20\\x7F]+@(?:" LABEL "\\.)+" LABEL "\\z");
      modm_rule_unsaid (L, "strict",
                        "63 bytes at most for a part of the domain: a pattern counts "
                        "characters");
   } else {
      modm_rule_text (L, "pattern", "^[^@]+@[^@]+\\z");
   }
}
