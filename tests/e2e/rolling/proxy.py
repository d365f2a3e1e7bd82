"""A proxy as operators put in front of a service that is replaced rolling: it looks the name up
anew for each request, and gives one that a container refused, or dropped unanswered, to the next.

    proxy.py PORT=SERVICE:PORT...
"""
import asyncio
import random
import socket
import sys

CONNECT_TIMEOUT = 1.0
ANSWER_TIMEOUT = 30.0
LONGEST_HEAD = 64 * 1024


async def addresses_of(name, port):
    found = await asyncio.get_running_loop().getaddrinfo(name, port, family=socket.AF_INET,
                                                         type=socket.SOCK_STREAM)
    addresses = list({address[4] for address in found})
    random.shuffle(addresses)
    return addresses


async def answer_of(address, head):
    """The whole answer; empty when the connection ended without one."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(*address), CONNECT_TIMEOUT)
    try:
        writer.write(head)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), ANSWER_TIMEOUT)
    finally:
        writer.close()


async def first_answer(name, port, head):
    for address in await addresses_of(name, port):
        try:
            if answer := await answer_of(address, head):
                return answer
        except (OSError, asyncio.TimeoutError):
            continue
    raise OSError("nobody answers")


def one_request(head):
    """Only GET is repeated and passed on here, each on a connection of its own."""
    lines = [line for line in head.split(b"\r\n")
             if line and not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join(lines + [b"Connection: close", b"", b""])


async def serve(name, port, reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        try:
            answer = await first_answer(name, port, one_request(head))
        except OSError:
            answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(answer)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # the client has left
    finally:
        writer.close()


async def main():
    servers = []
    for word in sys.argv[1:]:
        own, _, target = word.partition("=")
        name, _, port = target.partition(":")

        def handle(reader, writer, name=name, port=int(port)):
            return serve(name, port, reader, writer)
        servers.append(await asyncio.start_server(handle, "0.0.0.0", int(own), limit=LONGEST_HEAD))
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
