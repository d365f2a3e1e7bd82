// http-check: waits until a URL answers as expected. Changes nothing.
#pragma once

#include <drydock/stage.hpp>

struct HttpCheck {
  static constexpr auto name = "http-check";
  static constexpr auto summary = "Wait until a URL answers as expected";
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
      "status": {
        "type": ["array", "integer"],
        "items": {"type": "integer", "minimum": 100, "maximum": 599},
        "minItems": 1,
        "minimum": 100,
        "maximum": 599,
        "default": [200],
        "description": "the expected status, or a list of those that are accepted"
      },
      "contains": {
        "type": "string",
        "description": "text that must be in the first MiB of the answer"
      },
      "json": {
        "type": "object",
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "description": "what must be in a JSON answer: JSON Pointer to value",
        "examples": [{"/status": "ok"}]
      },
      "expect_headers": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "headers that the answer must have, with these values; empty: any value",
        "examples": [{"Content-Type": "application/json"}]
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
      },
      "timeout": {
        "type": "string",
        "format": "duration",
        "default": "1m",
        "description": "how long to try until the answer is as expected"
      },
      "interval": {
        "type": "string",
        "format": "duration",
        "default": "1s",
        "description": "pause between two tries"
      },
      "request_timeout": {
        "type": "string",
        "format": "duration",
        "default": "10s",
        "description": "how long one try may take"
      }
    }
  })";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  // Says that nothing stays behind: a stage without a rollback is named as one that was not undone.
  static void rollback(drydock::Call&) {}
};
