// http-probe: asks a URL for as long as a run takes, and reports when it did not answer. What a
// pipeline's `probe:` starts; as a stage it would never end.
#pragma once

#include <drydock/stage.hpp>

struct HttpProbe {
  static constexpr auto name = "http-probe";
  static constexpr auto summary =
      "Measure how long a URL does not answer while a pipeline runs; it stands under probe:";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["url"],
    "properties": {
      "url": {
        "type": "string",
        "minLength": 1,
        "description": "what to ask; redirects are not followed",
        "examples": ["http://127.0.0.1:8080/health"]
      },
      "every": {
        "type": "string",
        "format": "duration",
        "default": "100ms",
        "description": "from one request to the next"
      },
      "status": {
        "type": ["array", "integer"],
        "items": {"type": "integer", "minimum": 100, "maximum": 599},
        "minItems": 1,
        "minimum": 100,
        "maximum": 599,
        "default": [200],
        "description": "the status of a good answer, or a list of them"
      },
      "request_timeout": {
        "type": "string",
        "format": "duration",
        "default": "2s",
        "description": "how long one request may take before it counts as failed"
      },
      "slow": {
        "type": "string",
        "format": "duration",
        "default": "1s",
        "description": "a good answer that takes longer is counted as slow"
      },
      "headers": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "headers to send"
      },
      "secret_headers": {
        "type": "object",
        "additionalProperties": {"type": "string", "writeOnly": true},
        "description": "headers to send whose values are secret"
      },
      "ca_file": {
        "type": "string",
        "description": "certificates to trust instead of the system's; relative to the deployment"
      },
      "insecure": {
        "type": "boolean",
        "default": false,
        "description": "accept any certificate of the server; the answer then proves nothing about who gave it"
      },
      "client_certificate": {
        "type": "string",
        "description": "PEM file to show to the server; relative to the deployment"
      },
      "client_key": {
        "type": "string",
        "description": "PEM file of its private key, where it does not stand in the certificate's file"
      }
    }
  })";

  static void plan(drydock::Call& call);
  // Until it is cancelled. Puts out, with times in milliseconds of the machine's monotonic clock:
  //   outage    "FROM UNTIL", each time when good answers come again: the last good answer before
  //             (or the begin) and the first one after
  //   requests  "ALL FAILED SLOW" at the end, and before it an outage that is not over:
  //             "FROM UNTIL open"
  static void run(drydock::Call& call);
};
