/* The sockets of libmongoc where Lua does the talking. */
#include "driver/coroutine_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* STREAM: a type of its own, which libmongoc compares. CHUNK: asked of a socket at once. */
enum { STREAM = 77, CHUNK = 16 * 1024, MOST = 1024 * 1024, CONNECT_MS = 10000, TLS_BUFFER = 1024 };

/* ---- what was received ---- */

static size_t
unread (const modm_stream *s)
{
   return s->in.len - s->at;
}

static modm_answer
keep (modm_stream *s)
{
   const modm_fiber *f = s->fiber;
   if (s->at == s->in.len) {
      modm_buffer_reset (&s->in);
      s->at = 0;
   }
   modm_buffer_write (&s->in, f->answer.data, f->answer.len);
   s->dead = s->in.failed;
   return s->dead ? MODM_ANSWER_FAILED : MODM_ANSWER_OK;
}

static modm_answer
receive (modm_stream *s, size_t wanted, int32_t timeout_ms)
{
   modm_fiber *f = s->fiber;
   f->request.id = s->id;
   f->request.max = wanted < CHUNK ? CHUNK : wanted < MOST ? wanted : MOST;
   f->request.timeout_ms = timeout_ms;
   modm_answer answer = s->dead ? MODM_ANSWER_FAILED : modm_fiber_ask (f, MODM_WANT_RECEIVE);
   if (answer == MODM_ANSWER_OK)
      answer = keep (s);
   else if (answer == MODM_ANSWER_FAILED)
      s->dead = true;
   return answer;
}

/* errno comes last: libmongoc and OpenSSL look at it. */
static ssize_t
fail (modm_stream *s, modm_answer answer)
{
   s->timed_out = answer == MODM_ANSWER_TIMEOUT;
   errno = s->timed_out ? ETIMEDOUT : ECONNRESET;
   return -1;
}

/* ---- what libmongoc calls ---- */

static modm_stream *
of (mongoc_stream_t *base)
{
   return (modm_stream *) base;
}

static int
stream_close (mongoc_stream_t *base)
{
   modm_stream *s = of (base);
   if (s->id) {
      s->fiber->request.id = s->id;
      s->id = 0;
      (void) modm_fiber_ask (s->fiber, MODM_WANT_CLOSE);
   }
   s->dead = true;
   return 0;
}

static void
stream_destroy (mongoc_stream_t *base)
{
   (void) stream_close (base);
   modm_buffer_free (&of (base)->in);
   free (base);
}

static int
stream_flush (mongoc_stream_t *base)
{
   (void) base;
   return 0;
}

static int
stream_setsockopt (mongoc_stream_t *base, int level, int name, void *value, mongoc_socklen_t len)
{
   (void) base, (void) level, (void) name, (void) value, (void) len;
   return 0;
}

static ssize_t
stream_writev (mongoc_stream_t *base, mongoc_iovec_t *parts, size_t n, int32_t timeout_ms)
{
   modm_stream *s = of (base);
   modm_fiber *f = s->fiber;
   size_t total = 0;
   s->timed_out = s->again = false;
   for (size_t i = 0; i < n; i++)
      total += parts[i].iov_len;
   f->request.id = s->id;
   f->request.parts = parts;
   f->request.n = n;
   /* the scanner's 0 means "what goes at once", which is all, but some loops need a turn for it */
   f->request.timeout_ms = timeout_ms == 0 ? CONNECT_MS : timeout_ms;
   modm_answer answer = s->dead ? MODM_ANSWER_FAILED : modm_fiber_ask (f, MODM_WANT_SEND);
   if (answer == MODM_ANSWER_OK)
      return (ssize_t) total;
   s->dead = true; /* a part of it may have gone */
   return fail (s, answer);
}

/* Copies what there is into the parts, from byte `got` on; how much is in them then. */
static size_t
copy_out (modm_stream *s, const mongoc_iovec_t *parts, size_t n, size_t got)
{
   size_t before = 0;
   for (size_t i = 0; i < n && unread (s); before += parts[i++].iov_len) {
      if (got >= before + parts[i].iov_len)
         continue;
      size_t from = got - before, len = parts[i].iov_len - from;
      if (len > unread (s))
         len = unread (s);
      memcpy ((char *) parts[i].iov_base + from, s->in.data + s->at, len);
      s->at += len;
      got += len;
   }
   return got;
}

static int32_t
left (int32_t timeout_ms, int64_t since_us)
{
   int64_t ms = timeout_ms - (modm_now_us () - since_us) / 1000;
   return timeout_ms < 0 ? timeout_ms : ms < 1 ? 1 : (int32_t) ms;
}

static ssize_t
stream_readv (mongoc_stream_t *base, mongoc_iovec_t *parts, size_t n, size_t least,
              int32_t timeout_ms)
{
   modm_stream *s = of (base);
   size_t total = 0;
   int64_t since = modm_now_us ();
   s->timed_out = s->again = false;
   for (size_t i = 0; i < n; i++)
      total += parts[i].iov_len;
   if (least == 0)
      least = 1;
   for (size_t got = 0;;) {
      got = copy_out (s, parts, n, got);
      if (got >= least || got == total)
         return (ssize_t) got;
      if (timeout_ms == 0) { /* the scanner, which polls for more */
         s->again = true;
         errno = EAGAIN;
         return -1;
      }
      modm_answer answer = receive (s, total - got, left (timeout_ms, since));
      if (answer != MODM_ANSWER_OK)
         return fail (s, answer);
   }
}

/* What can be said without waiting. */
static ssize_t
look (mongoc_stream_poll_t *polled, size_t n)
{
   ssize_t ready = 0;
   for (size_t i = 0; i < n; i++) {
      const modm_stream *s = of (polled[i].stream);
      polled[i].revents = 0;
      if (s->dead)
         polled[i].revents = POLLHUP;
      else if (polled[i].events & POLLOUT)
         polled[i].revents = POLLOUT;
      else if ((polled[i].events & POLLIN) && unread (s))
         polled[i].revents = POLLIN;
      ready += polled[i].revents != 0;
   }
   return ready;
}

/* To know that there is something to read, it is read. */
static ssize_t
stream_poll (mongoc_stream_poll_t *polled, size_t n, int32_t timeout_ms)
{
   ssize_t ready = look (polled, n);
   if (ready || timeout_ms == 0)
      return ready;
   modm_fiber *f = of (polled[0].stream)->fiber;
   f->request.n = n < MODM_MAX_POLL ? n : MODM_MAX_POLL;
   for (size_t i = 0; i < f->request.n; i++)
      f->request.ids[i] = of (polled[i].stream)->id;
   f->request.timeout_ms = timeout_ms;
   modm_answer answer = modm_fiber_ask (f, MODM_WANT_POLL);
   for (size_t i = 0; answer != MODM_ANSWER_TIMEOUT && i < n; i++) {
      modm_stream *s = of (polled[i].stream);
      if (s->id == f->answer.id && answer == MODM_ANSWER_OK)
         (void) keep (s);
      else if (s->id == f->answer.id || f->unwinding || !f->entered)
         s->dead = true;
   }
   return look (polled, n);
}

static bool
stream_check_closed (mongoc_stream_t *base)
{
   return of (base)->dead;
}

static bool
stream_timed_out (mongoc_stream_t *base)
{
   return of (base)->timed_out;
}

static bool
stream_should_retry (mongoc_stream_t *base)
{
   return of (base)->again;
}

static mongoc_stream_t *
stream_new (modm_fiber *f, int id)
{
   modm_stream *s = calloc (1, sizeof *s);
   if (!s)
      return NULL;
   s->fiber = f;
   s->id = id;
   s->base.type = STREAM;
   s->base.destroy = s->base.failed = stream_destroy;
   s->base.close = stream_close;
   s->base.flush = stream_flush;
   s->base.writev = stream_writev;
   s->base.readv = stream_readv;
   s->base.setsockopt = stream_setsockopt;
   s->base.check_closed = stream_check_closed;
   s->base.poll = stream_poll;
   s->base.timed_out = stream_timed_out;
   s->base.should_retry = stream_should_retry;
   return (mongoc_stream_t *) s;
}

/* ---- connecting ---- */

/* Secures the stream, which it takes; the URI's options, since libmongoc's reader is private. */
static mongoc_stream_t *
secure (mongoc_stream_t *base, const mongoc_uri_t *uri, const char *host, int32_t timeout_ms,
        bson_error_t *error)
{
   mongoc_ssl_opt_t options = *mongoc_ssl_opt_get_default ();
   bool insecure = mongoc_uri_get_option_as_bool (uri, MONGOC_URI_TLSINSECURE, false);
   options.ca_file = mongoc_uri_get_option_as_utf8 (uri, MONGOC_URI_TLSCAFILE, NULL);
   options.pem_file = mongoc_uri_get_option_as_utf8 (uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, NULL);
   options.pem_pwd =
      mongoc_uri_get_option_as_utf8 (uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, NULL);
   options.weak_cert_validation =
      insecure ||
      mongoc_uri_get_option_as_bool (uri, MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, false);
   options.allow_invalid_hostname =
      insecure || mongoc_uri_get_option_as_bool (uri, MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, false);
   mongoc_stream_t *tls = mongoc_stream_tls_new_with_hostname (base, host, &options, 1);
   if (!tls) {
      mongoc_stream_destroy (base);
      bson_set_error (error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET,
                      "TLS cannot be begun: its files cannot be read, or are none");
      return NULL;
   }
   if (!mongoc_stream_tls_handshake_block (tls, host, timeout_ms, error)) {
      mongoc_stream_destroy (tls);
      return NULL;
   }
   return mongoc_stream_buffered_new (tls, TLS_BUFFER);
}

static mongoc_stream_t *
fail_to_connect (const modm_fiber *f, const mongoc_host_list_t *host, bson_error_t *error)
{
   const char *why = f->answer.data ? f->answer.data : "it took too long, or was given up";
   bson_set_error (error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT,
                   "cannot connect to %s: %s", host->host_and_port, why);
   return NULL;
}

static mongoc_stream_t *
initiate (const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *data, bson_error_t *error)
{
   modm_fiber *f = data;
   int32_t timeout_ms =
      mongoc_uri_get_option_as_int32 (uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_MS);
   int id = f->request.id = ++f->last_id;
   f->request.host = host->host;
   f->request.port = host->port;
   f->request.timeout_ms = timeout_ms;
   f->answer.data = NULL;
   if (modm_fiber_ask (f, MODM_WANT_CONNECT) != MODM_ANSWER_OK)
      return fail_to_connect (f, host, error);
   mongoc_stream_t *stream = stream_new (f, id);
   if (!stream) {
      modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
      return NULL;
   }
   return mongoc_uri_get_tls (uri) ? secure (stream, uri, host->host, timeout_ms, error) : stream;
}

static void
sleep_for (int64_t us, void *data)
{
   modm_fiber *f = data;
   f->request.timeout_ms = (int32_t) (us / 1000);
   (void) modm_fiber_ask (f, MODM_WANT_SLEEP);
}

void
modm_stream_install (modm_fiber *fiber, mongoc_client_t *handle)
{
   modm_client_set_usleep (handle, sleep_for, fiber);
   modm_log_mute (true); /* it says so in the log */
   mongoc_client_set_stream_initiator (handle, initiate, fiber);
   modm_log_mute (false);
}
