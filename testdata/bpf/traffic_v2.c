// The next version of traffic, which counts on in the same maps.
#define VERSION 1
#include "traffic.c"
