/* The headers of pictures: format, width and height of PNG, JPEG, GIF, WebP and BMP. Plain C. */
#ifndef MODM_FIELD_IMAGE_H
#define MODM_FIELD_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct modm_image {
   const char *format; /* "PNG", ...; NULL when the bytes begin as none of them do */
   uint32_t width, height;
} modm_image;

/* Reads the beginning of a file. False, with the reason, for what is no picture of these formats.
 */
bool modm_image_read (const uint8_t *bytes, size_t len, modm_image *image, const char **why);

#endif
