"""Specs as stored: zstd with a dictionary that lies in the store itself.

Tile specs of one store resemble each other: with a dictionary trained on some of them one
takes a seventh of its JSON, alone it would take half.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import zstandard

from rendermodules.render_ws.errors import StoreError

WITHOUT_DICTIONARY = 0
"""Codec of plain zstd; other codecs are rows of the table ``dictionary``."""

MINIMUM_SAMPLES = 100
MAXIMUM_SAMPLES = 300
DICTIONARY_BYTES = 16384
LEVEL = 1


class Compression:
    """Coder and decoder of the specs of one store; of one thread.

    Parameters
    ----------
    connection : sqlite3.Connection
        The store; dictionaries are read from it when first needed, and written by `learn`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Drop what was loaded: after a rollback the newest dictionary may not exist."""
        self._codec: int | None = None
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._decompressors = {WITHOUT_DICTIONARY: zstandard.ZstdDecompressor()}

    def learn(self, samples: Sequence[bytes]) -> None:
        """Make a dictionary of ``samples`` when the store has none and they suffice; call it in a transaction."""
        if self._newest_codec() != WITHOUT_DICTIONARY or len(samples) < MINIMUM_SAMPLES:
            return
        try:
            dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, list(samples[:MAXIMUM_SAMPLES]))
        except zstandard.ZstdError:
            # too little text, or nothing that repeats
            return
        self._connection.execute("INSERT INTO dictionary (content) VALUES (?)", (dictionary.as_bytes(),))
        self._codec = None

    def compressed(self, documents: Iterable[bytes]) -> list[tuple[int, bytes]]:
        """Return (codec, bytes) of each document, by the newest dictionary."""
        codec = self._newest_codec()
        compress = self._compressor.compress
        return [(codec, compress(document)) for document in documents]

    def restored(self, rows: Iterable[tuple[int, bytes]]) -> list[bytes]:
        """Return the documents of (codec, bytes) rows."""
        decompressors = self._decompressors
        documents = []
        for codec, content in rows:
            if codec not in decompressors:
                self._load(codec)
            documents.append(decompressors[codec].decompress(content))
        return documents

    def _newest_codec(self) -> int:
        if self._codec is None or self._codec == WITHOUT_DICTIONARY:
            # another process may have added a dictionary since
            (newest,) = self._connection.execute("SELECT MAX(codec) FROM dictionary").fetchone()
            if newest is not None:
                self._compressor = self._load(newest)
            self._codec = newest or WITHOUT_DICTIONARY
        return self._codec

    def _load(self, codec: int) -> zstandard.ZstdCompressor:
        row = self._connection.execute("SELECT content FROM dictionary WHERE codec = ?", (codec,)).fetchone()
        if row is None:
            raise StoreError(f"the dictionary {codec} of the store is missing")
        dictionary = zstandard.ZstdCompressionDict(row[0])
        self._decompressors[codec] = zstandard.ZstdDecompressor(dict_data=dictionary)
        return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary)
