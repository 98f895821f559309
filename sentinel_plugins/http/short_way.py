"""A request over aiohttp's connector without its session's general way.

Redirects, cookies, proxies, netrc, traces, middlewares and timeouts are all off here, and asking for each of them costs
a seventh of the call (benchmarks/throughput.py).

Its parts are aiohttp's own, but how they fit together is promised for no version. So this way is taken only with the
minor version that the tests ran with; any other goes through the session, and does the same.
"""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from multidict import CIMultiDict
from yarl import URL

KNOWN = aiohttp.__version__.startswith("3.14.")
"""Whether the installed aiohttp is the one this was written for."""

NO_LIMITS = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


async def send(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: CIMultiDict[str],
    data: object,
    *,
    read_bufsize: int,
) -> aiohttp.ClientResponse:
    """The head of the response to one request. Raises what the session would: `aiohttp.ClientError` or `OSError`."""
    connector = session.connector
    if connector is None:
        raise RuntimeError("the session is closed")
    loop = asyncio.get_running_loop()
    request = ClientRequest(method, url, headers=headers, data=data, loop=loop, session=session)
    connection = await connector.connect(request, traces=[], timeout=NO_LIMITS)
    try:
        protocol = connection.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            skip_payload=method == "HEAD", read_until_eof=True, auto_decompress=False, read_bufsize=read_bufsize
        )
        response = await request.send(connection)
        try:
            await response.start(connection)
        except BaseException:  # a cancelled read of the head leaves no response open
            response.close()
            raise
    except BaseException:  # and a cancellation at any step no connection
        connection.close()
        raise
    return response
