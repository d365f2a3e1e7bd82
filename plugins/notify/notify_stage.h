// notify: posts a message to a webhook, as chat services take it. The webhook's URL is a secret.
#pragma once

#include <drydock/stage.hpp>

struct Notify {
  static constexpr auto name = "notify";
  static constexpr auto summary = "Post a message to a webhook";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "webhook": {
        "type": "string",
        "writeOnly": true,
        "description": "URL to post to; without one (an optional secret that is not set) nobody is notified"
      },
      "message": {
        "type": "string",
        "description": "what to say; by default the run and its deployment",
        "examples": ["Upgrade: ${{ run.status }}"]
      },
      "field": {
        "type": "string",
        "minLength": 1,
        "default": "text",
        "description": "member of the JSON body that holds the message: text for Slack and Mattermost, content for Discord"
      },
      "fields": {
        "type": "object",
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "description": "further members of the JSON body"
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
      "timeout": {
        "type": "string",
        "format": "duration",
        "default": "10s",
        "description": "how long the webhook may take to answer"
      }
    }
  })";

  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
};
