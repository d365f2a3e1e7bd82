# A server that answers once well and twice badly, and is gone then; and a port of the loopback for it.
import os
import socket

with socket.socket() as chosen:
    chosen.bind(("127.0.0.1", 0))
    port = chosen.getsockname()[1]
with open(".env", "w") as env:
    env.write(f"PORT={port}\n")
with open("serve", "w") as script:
    script.write("""#!/usr/bin/env python3
import http.server
import sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.statuses.pop(0))
        self.end_headers()

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer)
server.statuses = [200, 503, 503]
while server.statuses:
    server.handle_request()
""")
os.chmod("serve", 0o755)
