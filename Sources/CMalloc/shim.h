/* What glibc has beyond the C standard. */
#include <malloc.h>
