"""Specs in fewer bytes."""

import json
import random

import pytest

from rendermodules.render_ws.errors import StoreError
from rendermodules.render_ws.store.compression import MINIMUM_SAMPLES, WITHOUT_DICTIONARY, Compression
from rendermodules.render_ws.store.database import database_at


@pytest.fixture
def database(store):
    return database_at(store)


def documents(count):
    chance = random.Random(5)
    tile = {"width": 100.0, "height": 80.0, "mipmapLevels": {"0": {"imageUrl": "file:/data/images/section/"}}}
    return [json.dumps({**tile, "tileId": f"tile-{chance.random()}"}).encode() for _ in range(count)]


def test_a_dictionary_is_learnt_once_and_shared(database):
    several = documents(MINIMUM_SAMPLES)
    here, elsewhere = Compression(database.connection), Compression(database.connection)
    plain = elsewhere.compressed(several)
    assert {codec for codec, _ in plain} == {WITHOUT_DICTIONARY}
    with database.writing():
        here.learn(several)
        here.learn(several)
    coded = elsewhere.compressed(several)
    (codec,) = {codec for codec, _ in coded}
    assert codec != WITHOUT_DICTIONARY
    assert sum(len(content) for _, content in coded) < 0.5 * sum(len(content) for _, content in plain)
    assert here.restored([*plain, *coded]) == several * 2


def test_a_few_documents_teach_nothing(database):
    samples = documents(MINIMUM_SAMPLES - 1)
    compression = Compression(database.connection)
    with database.writing():
        compression.learn(samples)
    assert {codec for codec, _ in compression.compressed(samples)} == {WITHOUT_DICTIONARY}
    assert compression.restored(compression.compressed(samples)) == samples


def test_a_dictionary_that_is_rolled_back_is_forgotten(database):
    several = documents(MINIMUM_SAMPLES)
    with pytest.raises(KeyboardInterrupt), database.writing():
        database.compression.learn(several)
        assert database.compression.compressed(several)[0][0] != WITHOUT_DICTIONARY
        raise KeyboardInterrupt
    assert database.compression.compressed(several)[0][0] == WITHOUT_DICTIONARY


def test_a_missing_dictionary_is_named(database):
    with pytest.raises(StoreError, match="dictionary 7"):
        Compression(database.connection).restored([(7, b"")])
