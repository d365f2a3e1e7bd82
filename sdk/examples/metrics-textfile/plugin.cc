#include "metrics_textfile.h"

DRYDOCK_PLUGIN("org.example.metrics-textfile", "1.0.0", MetricsTextfile)
