#include "preload/raw.h"
void lh_raw_drain(struct lh_ring *ring)
{
    (void)ring;
}
void lh_raw_reset(void)
{
}
