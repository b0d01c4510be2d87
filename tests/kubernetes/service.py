"""A stand-in for kube-proxy: connections to the Service's port go to one of its endpoints, by chance."""

from __future__ import annotations

import asyncio
import random
import threading

from tests.kubernetes.cluster import Api

PORT = 3000
_PAUSE = 0.2  # seconds between two looks at the endpoints


class Service:
    """The Service as clients reach it: a target of ``tests.fleet.clients``."""

    name = "guardai"
    port = PORT

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/endpoints/{self.name}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="service")
        self._listens = threading.Event()
        self._done = threading.Event()
        self.endpoints: list[str] = []

    @staticmethod
    def instance(marked: str | None) -> str:
        return marked or "none"

    def start(self) -> None:
        self._thread.start()
        assert self._listens.wait(60)

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._forward, "127.0.0.1", PORT):
            self._listens.set()
            while not self._done.is_set():
                found = await asyncio.to_thread(self._api.find, self._path)
                subsets = (found or {}).get("subsets") or []
                self.endpoints = [address["ip"] for subset in subsets for address in subset.get("addresses") or []]
                await asyncio.sleep(_PAUSE)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            endpoint = random.choice(self.endpoints)
            to_pod = await asyncio.open_connection(endpoint, PORT)
        except (OSError, IndexError):
            writer.transport.abort()  # as where nobody listens
            return
        await asyncio.gather(_pipe(reader, to_pod[1]), _pipe(to_pod[0], writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes until it ends, however it does: the other side gets to know by its own end."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        writer.transport.abort()
    finally:
        writer.close()
