/* Reads the headers of pictures by the rules of their formats; never past the bytes it was given.
 */
#include "field/image.h"

#include <string.h>

static const char *const TRUNCATED = "its header is cut short";
static const char *const NO_SIZE = "its width or height is 0";
static const char *const BAD_HEADER = "its header is damaged";

static uint32_t
big (const uint8_t *p, int n)
{
   uint32_t value = 0;
   for (int i = 0; i < n; i++)
      value = value << 8 | p[i];
   return value;
}

static uint32_t
little (const uint8_t *p, int n)
{
   uint32_t value = 0;
   while (n-- > 0)
      value = value << 8 | p[n];
   return value;
}

/* The reason why it is none, or NULL. */
typedef const char *reader (const uint8_t *p, size_t len, modm_image *image);

/* The signature, then IHDR (PNG specification, 11.2.2). */
static const char *
read_png (const uint8_t *p, size_t len, modm_image *image)
{
   static const uint32_t depths[7] = {/* by colour type, a bit for each depth */
                                      1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16,
                                      0,
                                      1 << 8 | 1 << 16,
                                      1 << 1 | 1 << 2 | 1 << 4 | 1 << 8,
                                      1 << 8 | 1 << 16,
                                      0,
                                      1 << 8 | 1 << 16};
   enum { HEADER = 33, MOST = 0x7FFFFFFF };
   if (len < HEADER)
      return TRUNCATED;
   uint8_t depth = p[24], colour = p[25];
   image->width = big (p + 16, 4);
   image->height = big (p + 20, 4);
   if (big (p + 8, 4) != 13 || memcmp (p + 12, "IHDR", 4) != 0 || depth > 16 || colour > 6 ||
       !(depths[colour] >> depth & 1) || p[26] || p[27] || p[28] > 1 || image->width > MOST ||
       image->height > MOST)
      return BAD_HEADER;
   return NULL;
}

/* The logical screen descriptor. */
static const char *
read_gif (const uint8_t *p, size_t len, modm_image *image)
{
   if (len < 13)
      return TRUNCATED;
   if (memcmp (p, "GIF87a", 6) != 0 && memcmp (p, "GIF89a", 6) != 0)
      return BAD_HEADER;
   image->width = little (p + 6, 2);
   image->height = little (p + 8, 2);
   return NULL;
}

/* The file header, then one of the headers that its size tells apart. A negative height is that of
 * rows from the top. */
static const char *
read_bmp (const uint8_t *p, size_t len, modm_image *image)
{
   if (len < 26)
      return TRUNCATED;
   uint32_t size = little (p + 14, 4);
   bool core = size == 12;
   if (!core && (size < 40 || size > 124))
      return BAD_HEADER;
   if (len < 14 + size)
      return TRUNCATED;
   image->width = little (p + 18, core ? 2 : 4);
   image->height = little (core ? p + 20 : p + 22, core ? 2 : 4);
   if (!core && image->height > INT32_MAX)
      image->height = 0 - image->height;
   if (image->width > INT32_MAX || image->height > INT32_MAX ||
       little (core ? p + 22 : p + 26, 2) != 1)
      return BAD_HEADER;
   return NULL;
}

/* RIFF, then the first chunk: lossy, lossless or extended. */
static const char *
read_webp (const uint8_t *p, size_t len, modm_image *image)
{
   if (len < 30)
      return len >= 12 && memcmp (p + 8, "WEBP", 4) != 0 ? BAD_HEADER : TRUNCATED;
   if (memcmp (p + 8, "WEBP", 4) != 0)
      return BAD_HEADER;
   if (memcmp (p + 12, "VP8 ", 4) == 0) { /* a key frame */
      if (p[20] & 1 || memcmp (p + 23, "\x9d\x01\x2a", 3) != 0)
         return BAD_HEADER;
      image->width = little (p + 26, 2) & 0x3FFF;
      image->height = little (p + 28, 2) & 0x3FFF;
   } else if (memcmp (p + 12, "VP8L", 4) == 0) {
      uint32_t bits = little (p + 21, 4);
      if (p[20] != 0x2F || bits >> 29)
         return BAD_HEADER;
      image->width = (bits & 0x3FFF) + 1;
      image->height = (bits >> 14 & 0x3FFF) + 1;
   } else if (memcmp (p + 12, "VP8X", 4) == 0) {
      image->width = little (p + 24, 3) + 1;
      image->height = little (p + 27, 3) + 1;
   } else {
      return BAD_HEADER;
   }
   return NULL;
}

static bool
is_frame (uint8_t marker)
{
   return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Segments until the frame header (SOF), which comes before the scan (ITU-T T.81, annex B). */
static const char *
read_jpeg (const uint8_t *p, size_t len, modm_image *image)
{
   size_t at = 2;
   while (at + 4 <= len) {
      if (p[at] != 0xFF)
         return BAD_HEADER;
      uint8_t marker = p[at + 1];
      if (marker == 0xFF) { /* a fill byte */
         at++;
         continue;
      }
      size_t size = big (p + at + 2, 2);
      if (marker == 0xDA || marker == 0xD9)
         return "it has no frame";
      if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD8) || size < 2)
         return BAD_HEADER;
      if (!is_frame (marker)) {
         at += 2 + size;
         continue;
      }
      if (at + 10 > len)
         return TRUNCATED;
      image->height = big (p + at + 5, 2);
      image->width = big (p + at + 7, 2);
      return size == 8 + 3 * (size_t) p[at + 9] && p[at + 9] ? NULL : BAD_HEADER;
   }
   return TRUNCATED;
}

bool
modm_image_read (const uint8_t *bytes, size_t len, modm_image *image, const char **why)
{
   static const struct {
      const char *name, *signature;
      size_t size;
      reader *read;
   } formats[] = {{"PNG", "\x89PNG\r\n\x1a\n", 8, read_png},
                  {"JPEG", "\xFF\xD8\xFF", 3, read_jpeg},
                  {"GIF", "GIF8", 4, read_gif},
                  {"WebP", "RIFF", 4, read_webp},
                  {"BMP", "BM", 2, read_bmp}};
   *image = (modm_image){0};
   *why = "it is none of them";
   for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
      if (len < formats[i].size || memcmp (bytes, formats[i].signature, formats[i].size) != 0)
         continue;
      image->format = formats[i].name;
      *why = formats[i].read (bytes, len, image);
      if (!*why && (!image->width || !image->height))
         *why = NO_SIZE;
      return !*why;
   }
   return false;
}
