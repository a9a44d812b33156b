/* Text that names a place on the net: URLField and GenericIPAddressField. */
#include "field/field_private.h"

#include <arpa/inet.h>
#include <strings.h>
#include <sys/socket.h>

/* A part of a text. */
typedef struct span {
   const char *at;
   size_t len;
} span;

modm_outcome
modm_address_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                      modm_error *err)
{
   (void) f;
   (void) v;
   return lua_type (L, idx) == LUA_TSTRING ? MODM_SAME : modm_refuse (L, idx, "a string", err);
}

/* ---- addresses, as inet_pton of libc reads them ---- */

static bool
is_ip (int family, span s)
{
   char text[INET6_ADDRSTRLEN + 1], bytes[sizeof (struct in6_addr)];
   if (s.len >= sizeof text || memchr (s.at, '\0', s.len))
      return false;
   memcpy (text, s.at, s.len);
   text[s.len] = '\0';
   return inet_pton (family, text, bytes) == 1;
}

/* IPv6 may name a zone: fe80::1%eth0. A slash would begin a prefix (RFC 4007, 11.7). */
static bool
is_zoned_ip6 (span s)
{
   const char *percent = memchr (s.at, '%', s.len);
   if (percent) {
      size_t before = (size_t) (percent - s.at);
      if (before + 1 == s.len)
         return false;
      for (const char *p = percent + 1; p < s.at + s.len; p++)
         if ((unsigned char) *p <= ' ' || *p == 127 || *p == '%' || *p == '/')
            return false;
      s.len = before;
   }
   return is_ip (AF_INET6, s);
}

static bool
is_address (const modm_field *f, const char *text, size_t len)
{
   const span s = {text, len};
   return (f->limit.protocol != AF_INET6 && is_ip (AF_INET, s)) ||
          (f->limit.protocol != AF_INET && is_zoned_ip6 (s));
}

void
modm_ip_compile (lua_State *L, int options, modm_field *f)
{
   lua_getfield (L, options, "protocol");
   const char *name = lua_type (L, -1) == LUA_TSTRING ? lua_tostring (L, -1) : "both";
   f->limit.protocol = strcmp (name, "ipv4") == 0   ? AF_INET
                       : strcmp (name, "ipv6") == 0 ? AF_INET6
                                                    : AF_UNSPEC;
   lua_pop (L, 1);
}

void
modm_ip_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   if (!modm_utf8_check (text, len, NULL)) {
      modm_report (v, "not valid UTF-8.");
   } else if (!is_address (f, text, len)) {
      modm_report (v, "%s is not a valid IP address.", modm_describe (L, idx));
      lua_pop (L, 1);
   }
}

bool
modm_ip_fits (lua_State *L, int idx, const modm_field *f)
{
   size_t len;
   const char *text = modm_text_at (L, idx, &len);
   return text && modm_utf8_check (text, len, NULL) && is_address (f, text, len);
}

bool
modm_ip_accepts (const modm_field *f, const modm_element *e)
{
   if (e->type != MODM_BSON_STRING)
      return false;
   size_t len;
   const char *text = modm_element_text (e, &len);
   return modm_utf8_check (text, len, NULL) && is_address (f, text, len);
}

/* ---- URLs: scheme://host/path, each part walked once ---- */

typedef struct url {
   span scheme, host, path;
} url;

/* Cuts the text at its only "://" and at the first slash behind. */
static bool
split_url (const char *text, size_t len, url *u)
{
   const char *end = text + len, *mark = memmem (text, len, "://", 3);
   if (!mark)
      return false;
   const char *host = mark + 3;
   size_t rest = (size_t) (end - host);
   if (memmem (host, rest, "://", 3))
      return false;
   const char *slash = memchr (host, '/', rest);
   slash = slash ? slash : end;
   u->scheme = (span){text, (size_t) (mark - text)};
   u->host = (span){host, (size_t) (slash - host)};
   u->path = (span){slash, (size_t) (end - slash)};
   return true;
}

static bool
is_scheme (span s)
{
   static const char *const known[] = {"http", "https", "ftp", "ftps"};
   for (size_t i = 0; i < sizeof known / sizeof *known; i++)
      if (strlen (known[i]) == s.len && strncasecmp (known[i], s.at, s.len) == 0)
         return true;
   return false;
}

static bool
is_digit (char c)
{
   return c >= '0' && c <= '9';
}

/* Labels of letters, digits and inner hyphens, at least two, none over 63; the last has two
 * characters or more and is no number. A dot may follow it. */
static bool
is_domain (span s)
{
   int labels = 0;
   bool number = true;
   size_t start = 0, size = 0;
   if (s.len > 1 && s.at[s.len - 1] == '.')
      s.len--;
   for (size_t i = 0; i <= s.len; i++) {
      char c = '.';
      if (i < s.len)
         c = s.at[i];
      if (c == '.') {
         size = i - start;
         if (size == 0 || size > 63 || s.at[start] == '-' || s.at[i - 1] == '-')
            return false;
         labels++;
         start = i + 1;
         if (i < s.len)
            number = true;
      } else if (!is_digit (c)) {
         if (c != '-' && !((c | 32) >= 'a' && (c | 32) <= 'z'))
            return false;
         number = false;
      }
   }
   return labels >= 2 && size >= 2 && !number;
}

/* A domain or an address, with a port or not. */
static bool
is_host (span s)
{
   if (is_ip (AF_INET6, s))
      return true;
   size_t digits = 0;
   while (digits < s.len && is_digit (s.at[s.len - 1 - digits]))
      digits++;
   if (digits > 0 && digits < s.len && s.at[s.len - 1 - digits] == ':')
      s.len -= digits + 1;
   return is_domain (s) || is_ip (AF_INET, s) || is_ip (AF_INET6, s);
}

/* A blank or control character, or one of Unicode's spaces; the text is valid UTF-8, so that what
 * follows a leading byte is there. */
static bool
is_space (const char *text)
{
   const unsigned char *c = (const unsigned char *) text;
   switch (c[0]) {
   case 127:
      return true;
   case 0xC2:
      return c[1] == 0x85 || c[1] == 0xA0;
   case 0xE1:
      return c[1] == 0x9A && c[2] == 0x80; /* U+1680 */
   case 0xE2:                              /* U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F */
      return (c[1] == 0x80 && (c[2] <= 0x8A || c[2] == 0xA8 || c[2] == 0xA9 || c[2] == 0xAF)) ||
             (c[1] == 0x81 && c[2] == 0x9F);
   case 0xE3:
      return c[1] == 0x80 && c[2] == 0x80; /* U+3000 */
   default:
      return c[0] <= ' ';
   }
}

static bool
is_path (span s)
{
   for (size_t i = 0; i < s.len; i++)
      if (is_space (s.at + i))
         return false;
   return true;
}

void
modm_url_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   (void) f;
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   url u;
   if (!modm_utf8_check (text, len, NULL)) {
      modm_report (v, "not valid UTF-8.");
   } else if (!split_url (text, len, &u)) {
      modm_report (v, "not a URL: it must have one '://'.");
   } else if (!is_scheme (u.scheme)) {
      lua_pushlstring (L, u.scheme.at, u.scheme.len);
      modm_report (v, "Unrecognized scheme: %s", modm_describe (L, -1));
      lua_pop (L, 2);
   } else if (!is_host (u.host)) {
      lua_pushlstring (L, u.host.at, u.host.len);
      modm_report (v, "Invalid domain: %s", modm_describe (L, -1));
      lua_pop (L, 2);
   } else if (!is_path (u.path)) {
      lua_pushlstring (L, u.path.at, u.path.len);
      modm_report (v, "Invalid path: %s", modm_describe (L, -1));
      lua_pop (L, 2);
   }
}

static bool
is_url (const char *text, size_t len)
{
   url u;
   return modm_utf8_check (text, len, NULL) && split_url (text, len, &u) && is_scheme (u.scheme) &&
          is_host (u.host) && is_path (u.path);
}

bool
modm_url_fits (lua_State *L, int idx, const modm_field *f)
{
   (void) f;
   size_t len;
   const char *text = modm_text_at (L, idx, &len);
   return text && is_url (text, len);
}

bool
modm_url_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   if (e->type != MODM_BSON_STRING)
      return false;
   size_t len;
   const char *text = modm_element_text (e, &len);
   return is_url (text, len);
}

/* ---- in words of $jsonSchema ---- */

#define OCTET "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define IPV4 OCTET "(?:\\." OCTET "){3}"
#define IPV6 "(?:[0-9A-Fa-f]{0,4}:){2,8}[0-9A-Fa-f.]{0,15}"
#define LABEL "[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
#define LAST "(?![0-9]+(?:[.:/]|\\z))[A-Za-z0-9][-A-Za-z0-9]{0,61}[A-Za-z0-9]"
#define DOMAIN "(?:" LABEL "\\.)+" LAST "\\.?"
#define SPACES                                                                                     \
   "\\x00-\\x20\\x7F\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{"     \
   "205F}\\x{3000}"

static const char url_pattern[] = "^(?i:https?|ftps?)://(?!(?s:.*)://)(?:" DOMAIN "|" IPV4 "|" IPV6
                                  ")(?::[0-9]+)?(?:/[^" SPACES "]*)?\\z";

static void
unsaid_ip6 (lua_State *L)
{
   modm_rule_unsaid (L, "IPv6", "the right number of groups in an IPv6 address");
}

void
modm_url_describe (lua_State *L, const modm_field *f)
{
   (void) f;
   modm_rule_text (L, "pattern", url_pattern);
   unsaid_ip6 (L);
}

void
modm_ip_describe (lua_State *L, const modm_field *f)
{
   static const char v4[] = "^" IPV4 "\\z", v6[] = "^" IPV6 "(?:%[^%/\\x00-\\x20\\x7F]+)?\\z",
                     both[] = "^(?:" IPV4 "|" IPV6 "(?:%[^%/\\x00-\\x20\\x7F]+)?)\\z";
   modm_rule_text (L, "pattern",
                   f->limit.protocol == AF_INET    ? v4
                   : f->limit.protocol == AF_INET6 ? v6
                                                   : both);
   if (f->limit.protocol != AF_INET)
      unsaid_ip6 (L);
}
