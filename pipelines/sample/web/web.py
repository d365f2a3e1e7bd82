"""The web tier of the sample application: one page of its own, and everything else from the API."""

import html
import json
import os
import pathlib
import urllib.error
import urllib.request

VERSION = (pathlib.Path(__file__).resolve().parent / "VERSION").read_text(encoding="utf-8").strip()
API_URL = os.environ.get("API_URL", "http://api:5001")

PAGE = """<!doctype html>
<title>Sample {version}</title>
<h1>Sample application, web {version}, api {api[version]}</h1>
<p>{banner}</p>
<p>{greeting} There are {api[notes]} notes; the database is at revision {api[revision]}.</p>
"""


def ask_api(path, method="GET", body=None):
    """The API's answer as (status line, content type, body); 502 when there is none."""
    request = urllib.request.Request(API_URL + path, data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return f"{answer.status} OK", answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}", error.headers["Content-Type"], error.read()
    except OSError as error:
        return "502 Bad Gateway", "text/plain", f"the api does not answer: {error}\n".encode()


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/web-health":
        status, kind, body = "200 OK", "text/plain", b"ok\n"
    elif path == "/":
        status, kind, body = ask_api("/version")
        if status.startswith("200"):
            api = json.loads(body)
            kind = "text/html; charset=utf-8"
            body = PAGE.format(version=html.escape(VERSION), api=api,
                               banner=html.escape(os.environ.get("BANNER", "")),
                               greeting=html.escape(api["greeting"])).encode()
    else:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        sent = environ["wsgi.input"].read(length) if length else None
        status, kind, body = ask_api(path, environ["REQUEST_METHOD"], sent)
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
