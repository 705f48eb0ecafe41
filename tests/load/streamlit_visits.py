"""Visits to the Streamlit app over the websocket that its page in a browser uses."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.FileUploader_pb2 import FileUploader
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from frontends.cards import cards_html
from frontends.wording import escape_markdown
from tests.load.photos import Photo
from tests.load.visiting import LONGEST_S, BusyError

_XSRF = "_streamlit_xsrf"
_BUSY = "Too many photos are waiting"
"""Start of the message with which the app turns a visitor away."""


class StreamlitVisit:
    """Uploads one photo after another and reads the cards beside it."""

    def __init__(self, client: httpx.AsyncClient, connection: ClientConnection) -> None:
        self._client = client
        self._connection = connection
        self._session = ""
        self._page = ""
        self._field = FileUploader()

    async def open(self) -> None:
        """Load the page as a new visitor does."""
        message = BackMsg()
        message.rerun_script.query_string = ""
        await self._connection.send(message.SerializeToString())
        for delta in await self._until_finished():
            if delta.new_element.HasField("file_uploader"):
                self._field = delta.new_element.file_uploader

    async def ask(self, photo: Photo) -> str:
        request = BackMsg()
        request.file_urls_request.request_id = str(uuid.uuid4())
        request.file_urls_request.file_names.append(photo.name)
        request.file_urls_request.session_id = self._session
        await self._connection.send(request.SerializeToString())
        while not (message := await self._next()).HasField("file_urls_response"):
            pass
        [urls] = message.file_urls_response.file_urls
        uploaded = await self._client.put(
            urls.upload_url,
            files={"file": (photo.name, photo.content)},
            headers={"X-Xsrftoken": self._client.cookies[_XSRF]},
        )
        uploaded.raise_for_status()
        answer = BackMsg()
        answer.rerun_script.page_script_hash = self._page
        state = answer.rerun_script.widget_states.widgets.add()
        state.id = self._field.id
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = photo.name, len(photo.content), urls.file_id
        info.file_urls.CopyFrom(urls)
        await self._connection.send(answer.SerializeToString())
        return self._find_problem(await self._until_finished(), photo)

    def _find_problem(self, deltas: list[Delta], photo: Photo) -> str:
        elements = [delta.new_element for delta in deltas]
        alerts = [element.alert.body for element in elements if element.HasField("alert")]
        if any(_BUSY in text for text in alerts):
            raise BusyError
        captions = [
            image.caption
            for element in elements
            if element.HasField("imgs")
            for image in element.imgs.imgs
        ]
        if not any(escape_markdown(photo.name) in caption for caption in captions):
            return f"no picture with its name: {captions} {alerts}"
        cards = cards_html(photo.right.faces, (photo.right.width, photo.right.height))
        # Streamlit leaves out the line feed at the end.
        if cards.strip() not in [element.html.body for element in elements]:
            return f"other cards: {captions}"
        return ""

    async def _next(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(await self._connection.recv(decode=False))
        if message.HasField("new_session"):
            self._session = message.new_session.initialize.session_id or self._session
            self._page = message.new_session.page_script_hash
        return message

    async def _until_finished(self) -> list[Delta]:
        """Return what the page shows once its script has finished."""
        deltas = []
        while not (message := await self._next()).HasField("script_finished"):
            if message.HasField("new_session"):
                deltas.clear()  # a new run replaces the previous one
            if message.HasField("delta"):
                deltas.append(message.delta)
        return deltas


@asynccontextmanager
async def streamlit_visit(address: str) -> AsyncIterator[StreamlitVisit]:
    """Open a visit to the app at ``address``."""
    # A new connection for each request: a server may close an idle one just when it is used
    # again. A browser would then try again, httpx does not.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=LONGEST_S, limits=limits) as client:
        (await client.get("/_stcore/health")).raise_for_status()  # sets the cookie
        token = client.cookies[_XSRF]
        stream = urljoin(address.replace("http", "ws", 1), "/_stcore/stream")
        async with connect(
            stream,
            subprotocols=["streamlit", token],
            additional_headers={"Cookie": f"{_XSRF}={token}"},
            max_size=None,
            open_timeout=LONGEST_S,
        ) as connection:
            visit = StreamlitVisit(client, connection)
            await visit.open()
            yield visit
