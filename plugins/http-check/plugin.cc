#include "http_check_stage.h"
#include "http_probe_stage.h"

DRYDOCK_PLUGIN("drydock.http-check", "0.1.0", HttpCheck, HttpProbe)
