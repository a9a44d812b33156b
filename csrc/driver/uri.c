/* connect's URI and options: both become one URI, which libmongoc parses, so that its checks hold
 * for both.
 *
 * While it works the stack holds: 1 the URI's text, 2 the options, 3 the client, 4 the options by
 * their canonical names. The new text grows in a buffer that is anchored, since anything here may
 * throw.
 */
#include "driver/driver_private.h"

#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

enum { TEXT = 1, OPTIONS = 2, CANONICAL = 4 };
enum { SELECTION_MS = 15000, CONNECT_MS = 10000 };

/* How much longer than maxTimeMS a socket waits, so that the server's own answer comes first. */
enum { SOCKET_GRACE_MS = 1000 };

static void
add (modm_buffer *b, const char *text)
{
   modm_buffer_write (b, text, strlen (text));
}

static void
add_encoded (modm_buffer *b, const char *text)
{
   static const char digits[] = "0123456789ABCDEF";
   for (const unsigned char *c = (const unsigned char *) text; *c; c++) {
      if (isalnum (*c) || strchr ("-._~", *c)) {
         modm_buffer_byte (b, *c);
         continue;
      }
      modm_buffer_byte (b, '%');
      modm_buffer_byte (b, (uint8_t) digits[*c >> 4]);
      modm_buffer_byte (b, (uint8_t) digits[*c & 15]);
   }
}

/* One part of user:password@: the option if there is one, else what the URI has, as it is. */
static void
add_credential (lua_State *L, modm_buffer *b, const char *option, const char *from, size_t len)
{
   lua_getfield (L, CANONICAL, option);
   if (lua_isstring (L, -1))
      add_encoded (b, lua_tostring (L, -1));
   else
      modm_buffer_write (b, from, len);
   lua_pop (L, 1);
}

/* Whether user or password are among the options. */
static bool
has_option (lua_State *L, const char *name)
{
   lua_getfield (L, CANONICAL, name);
   bool has = !lua_isnil (L, -1);
   lua_pop (L, 1);
   return has;
}

static const char *
find_last (const char *from, const char *end, char c)
{
   while (end > from)
      if (*--end == c)
         return end;
   return NULL;
}

/* scheme://user:password@hosts/database, up to the options; a ".collection" behind the database
 * goes. */
static void
add_base (lua_State *L, modm_buffer *b, const char *uri, const char *end)
{
   const char *scheme = strstr (uri, "://");
   const char *authority = scheme && scheme < end ? scheme + 3 : uri;
   const char *slash = memchr (authority, '/', (size_t) (end - authority));
   const char *hosts_end = slash ? slash : end;
   const char *at = find_last (authority, hosts_end, '@');
   const char *hosts = at ? at + 1 : authority;
   modm_buffer_write (b, uri, (size_t) (authority - uri));
   if (at || has_option (L, "username") || has_option (L, "password")) {
      const char *user_end = at ? memchr (authority, ':', (size_t) (at - authority)) : NULL;
      bool password = user_end || has_option (L, "password");
      if (!user_end)
         user_end = at ? at : authority;
      add_credential (L, b, "username", authority, (size_t) (user_end - authority));
      if (password) {
         add (b, ":");
         const char *from = user_end < hosts ? user_end + 1 : user_end;
         add_credential (L, b, "password", from, at && from < at ? (size_t) (at - from) : 0);
      }
      add (b, "@");
   }
   modm_buffer_write (b, hosts, (size_t) (hosts_end - hosts));
   add (b, "/");
   if (slash) {
      const char *dot = memchr (slash, '.', (size_t) (end - slash));
      modm_buffer_write (b, slash + 1, (size_t) ((dot ? dot : end) - slash - 1));
   }
}

/* The URI's own options that no option of the table replaces. */
static void
add_kept (lua_State *L, modm_buffer *b, const char *query)
{
   while (*query) {
      size_t len = strcspn (query, "&");
      const char *equals = memchr (query, '=', len);
      char name[MODM_OPTION_NAME];
      modm_option_name (name, query, equals ? (size_t) (equals - query) : len);
      if (len && !has_option (L, name)) {
         modm_buffer_write (b, query, len);
         add (b, "&");
      }
      query += len;
      query += *query == '&';
   }
}

static void
add_option (lua_State *L, modm_buffer *b, const char *name, int value)
{
   int64_t n;
   add (b, name);
   add (b, "=");
   if (lua_isboolean (L, value)) {
      add (b, lua_toboolean (L, value) ? "true" : "false");
   } else if (lua_type (L, value) == LUA_TNUMBER) {
      char digits[24];
      (void) modm_int64_test (L, value, &n); /* its type was checked */
      (void) snprintf (digits, sizeof digits, "%" PRId64, n);
      add (b, digits);
   } else {
      add_encoded (b, lua_tostring (L, value));
   }
   add (b, "&");
}

/* A list of tags is an option for each, a list of compressors one with commas. */
static void
add_list (lua_State *L, modm_buffer *b, const char *name)
{
   bool tags = strcmp (name, "readpreferencetags") == 0;
   int list = lua_gettop (L), n = (int) lua_rawlen (L, list);
   for (int i = 1; i <= n; i++) {
      lua_rawgeti (L, list, i);
      if (tags) {
         add_option (L, b, name, -1);
      } else {
         add (b, i == 1 ? name : ",");
         add (b, i == 1 ? "=" : "");
         add_encoded (b, lua_tostring (L, -1));
         add (b, i == n ? "&" : "");
      }
      lua_pop (L, 1);
   }
}

static void
add_options (lua_State *L, modm_buffer *b)
{
   static const char *const elsewhere[] = {"username", "password", "timeoutms", NULL};
   lua_pushnil (L);
   while (lua_next (L, CANONICAL)) {
      const char *name = lua_tostring (L, -2);
      if (lua_istable (L, -1))
         add_list (L, b, name);
      else if (!modm_is_one_of (name, elsewhere))
         add_option (L, b, name, -1);
      lua_pop (L, 1);
   }
}

/* ---- what it comes to ---- */

/* What follows each place of the mark, up to one of the ends. */
static void
note_after (modm_buffer *secrets, const char *uri, const char *mark, const char *ends)
{
   while ((uri = strcasestr (uri, mark))) {
      uri += strlen (mark);
      modm_secret_add (secrets, uri, strcspn (uri, ends));
   }
}

/* Everything between the user's colon and the last @, as it stands: also when the URI is so wrong
 * that libmongoc would see the end of the password elsewhere. */
static void
note_secrets (modm_buffer *secrets, const char *uri)
{
   const char *scheme = strstr (uri, "://");
   const char *authority = scheme ? scheme + 3 : uri;
   const char *at = strrchr (authority, '@');
   const char *colon = at ? memchr (authority, ':', (size_t) (at - authority)) : NULL;
   if (colon)
      modm_secret_add (secrets, colon + 1, (size_t) (at - colon - 1));
   note_after (secrets, uri, "password=", "&"); /* of a key file, by each of its names */
   note_after (secrets, uri, "AWS_SESSION_TOKEN:", ",&");
   note_after (secrets, uri, "AWS_SESSION_TOKEN%3A", ",&");
}

static void
note_secret (modm_buffer *secrets, const char *text)
{
   if (text)
      modm_secret_add (secrets, text, strlen (text));
}

static void
default_int (mongoc_uri_t *uri, const char *option, int64_t value)
{
   if (!mongoc_uri_has_option (uri, option))
      (void) mongoc_uri_set_option_as_int32 (uri, option,
                                             value > INT32_MAX ? INT32_MAX : (int32_t) value);
}

static void
set_defaults (modm_client *client)
{
   mongoc_uri_t *uri = client->uri;
   int32_t timeout = client->timeout_ms;
   default_int (uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, timeout ? timeout : SELECTION_MS);
   if (timeout)
      default_int (uri, MONGOC_URI_SOCKETTIMEOUTMS, (int64_t) timeout + SOCKET_GRACE_MS);
   /* one silent host must not outlast the selection of a server */
   int32_t selection =
      mongoc_uri_get_option_as_int32 (uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, SELECTION_MS);
   if (selection > 0 && selection < CONNECT_MS)
      default_int (uri, MONGOC_URI_CONNECTTIMEOUTMS, selection);
   if (!mongoc_uri_has_option (uri, MONGOC_URI_SERVERSELECTIONTRYONCE))
      (void) mongoc_uri_set_option_as_bool (uri, MONGOC_URI_SERVERSELECTIONTRYONCE, false);
}

/* Reads timeout_ms; false with the message pushed. */
static bool
read_timeout (lua_State *L, modm_client *client)
{
   int64_t n = 0;
   lua_getfield (L, CANONICAL, "timeoutms");
   if (!lua_isnil (L, -1) && (!modm_int64_test (L, -1, &n) || n < 1 || n > INT32_MAX)) {
      lua_pushliteral (L, "option 'timeout_ms' must be a positive number of milliseconds");
      return false;
   }
   client->timeout_ms = (int32_t) n;
   lua_pop (L, 1);
   return true;
}

/* An @ in the password that is not encoded: libmongoc takes its second half for a host. */
static bool
misread (const mongoc_uri_t *uri)
{
   for (const mongoc_host_list_t *h = mongoc_uri_get_hosts (uri); h; h = h->next)
      if (strchr (h->host, '@'))
         return true;
   const char *looked_up = mongoc_uri_get_srv_hostname (uri);
   return looked_up && strchr (looked_up, '@');
}

/* A slash in user or password that is not encoded: what follows it, up to the @ or a ?, is taken
 * for the database, whose name is shown. */
static bool
has_late_at (const char *uri, const char *end)
{
   const char *scheme = strstr (uri, "://");
   const char *authority = scheme && scheme < end ? scheme + 3 : uri;
   const char *slash = memchr (authority, '/', (size_t) (end - authority));
   if (!slash)
      return false;
   size_t len = (size_t) (end - slash);
   return memchr (slash, '@', len) || (memchr (slash, ':', len) && strchr (end, '@'));
}

static const char unencoded[] =
   "the URI is not valid: user name and password must be percent-encoded";

static bool
parse (lua_State *L, modm_client *client, const char *text)
{
   bson_error_t error;
   modm_log_secrets (&client->secrets, true);
   client->uri = mongoc_uri_new_with_error (text, &error);
   modm_log_secrets (NULL, false);
   if (!client->uri) {
      /* libmongoc may quote what it takes for host or option */
      bool safe = !modm_secret_hinted (&client->secrets, error.message);
      lua_pushfstring (L, "the URI is not valid: %s",
                       safe ? error.message : "user name and password must be percent-encoded");
      return false;
   }
   if (misread (client->uri)) {
      lua_pushstring (L, unencoded);
      return false;
   }
   if (!mongoc_uri_get_database (client->uri)) {
      lua_pushliteral (L, "the URI must name a database (mongodb://host/DATABASE)");
      return false;
   }
   note_secret (&client->secrets, mongoc_uri_get_password (client->uri));
   note_secret (&client->secrets, mongoc_uri_get_option_as_utf8 (
                                     client->uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, NULL));
   set_defaults (client);
   return true;
}

bool
modm_uri_read (lua_State *L, modm_client *client)
{
   luaL_checktype (L, TEXT, LUA_TSTRING);
   const char *uri = lua_tostring (L, TEXT);
   if (strlen (uri) != lua_rawlen (L, TEXT)) {
      lua_pushliteral (L, "the URI is not valid: it holds a zero byte");
      return false;
   }
   if (!modm_options_check (L, OPTIONS) || !read_timeout (L, client))
      return false;
   const char *question = strchr (uri, '?'), *end = question ? question : uri + strlen (uri);
   if (has_late_at (uri, end)) {
      lua_pushstring (L, unencoded);
      return false;
   }
   modm_buffer *b = modm_buffer_push (L);
   add_base (L, b, uri, end);
   add (b, "?");
   add_kept (L, b, question ? question + 1 : "");
   add_options (L, b);
   if (b->len && (b->data[b->len - 1] == '&' || b->data[b->len - 1] == '?'))
      b->data[b->len - 1] = '\0';
   modm_buffer_byte (b, '\0');
   note_secrets (&client->secrets, uri);
   if (!b->failed)
      note_secrets (&client->secrets, (const char *) b->data);
   if (b->failed || client->secrets.failed)
      return luaL_error (L, "not enough memory");
   return parse (L, client, (const char *) b->data);
}
