/* The smallest function: answers every request with the same text. */
#include "terrafirma.h"

void run(void) { tf_respond(200, "text/plain; charset=utf-8", tf_text("Hello, world!\n")); }
