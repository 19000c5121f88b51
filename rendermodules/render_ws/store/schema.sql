-- Version 1. Later versions are reached by the scripts in database.py: MIGRATIONS.

-- A stack is a name, its metadata, and for every z a layer of tiles.
CREATE TABLE stack (
    stack_key INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    version_number INTEGER NOT NULL,
    version TEXT NOT NULL,           -- JSON: currentVersion
    modified INTEGER NOT NULL,       -- milliseconds since 1970, changes of state and version only
    revision INTEGER NOT NULL,       -- raised by every change of the stack or its tiles
    stats TEXT,                      -- JSON, written by completion
    section_data TEXT,               -- JSON, written by completion
    hierarchical_data TEXT,          -- JSON
    transform_set INTEGER NOT NULL,
    UNIQUE (owner, project, name)
);
CREATE INDEX stack_by_transform_set ON stack (transform_set);

-- Layers are copied on write: clones share them until one of the stacks writes to that z.
CREATE TABLE layer (
    layer_id INTEGER PRIMARY KEY AUTOINCREMENT,
    tile_count INTEGER NOT NULL,
    min_x REAL, min_y REAL, max_x REAL, max_y REAL,
    min_width INTEGER, max_width INTEGER, min_height INTEGER, max_height INTEGER,   -- of the bounding boxes
    channels TEXT                    -- JSON list of names, null without any
);

CREATE TABLE stack_layer (
    stack_key INTEGER NOT NULL,
    z REAL NOT NULL,
    layer_id INTEGER NOT NULL,
    PRIMARY KEY (stack_key, z)
) WITHOUT ROWID;
CREATE INDEX stack_layer_by_layer ON stack_layer (layer_id);

-- Layers of deleted stacks, removed a few at a time by later writes.
CREATE TABLE garbage_layer (
    layer_id INTEGER PRIMARY KEY
);

-- Summary of the tiles of a layer that have a sectionId.
CREATE TABLE layer_section (
    layer_id INTEGER NOT NULL,
    section_id TEXT NOT NULL,
    tile_count INTEGER NOT NULL,
    min_x REAL NOT NULL, min_y REAL NOT NULL, max_x REAL NOT NULL, max_y REAL NOT NULL,
    PRIMARY KEY (layer_id, section_id)
) WITHOUT ROWID;
CREATE INDEX layer_section_by_section ON layer_section (section_id);

CREATE TABLE tile (
    layer_id INTEGER NOT NULL,
    tile_id TEXT NOT NULL,
    section_id TEXT,
    group_id TEXT,
    min_x REAL NOT NULL, min_y REAL NOT NULL, max_x REAL NOT NULL, max_y REAL NOT NULL,
    refs TEXT,                       -- null: the transforms are a flat list; else JSON list of the ids it refers to
    channels TEXT,                   -- JSON list of names, null without any
    codec INTEGER NOT NULL,          -- of spec: 0 zstd, else zstd with that dictionary
    spec BLOB NOT NULL,              -- the client's JSON with the derived members
    PRIMARY KEY (layer_id, tile_id)
) WITHOUT ROWID;
CREATE INDEX tile_by_id ON tile (tile_id);

-- Shared transforms; sets are copied on write like layers.
CREATE TABLE transform_set (
    set_id INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE transform (
    set_id INTEGER NOT NULL,
    transform_id TEXT NOT NULL,
    codec INTEGER NOT NULL,
    spec BLOB NOT NULL,
    PRIMARY KEY (set_id, transform_id)
) WITHOUT ROWID;

CREATE TABLE dictionary (
    codec INTEGER PRIMARY KEY,
    content BLOB NOT NULL
);

CREATE TABLE match_collection (
    collection_id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT,                      -- null: deleted, its pairs are removed by later writes
    name TEXT NOT NULL,
    pair_count INTEGER NOT NULL,
    UNIQUE (owner, name)
);

-- Group and canvas ids, interned: each occurs in many pairs.
CREATE TABLE match_name (
    name_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE match_pair (
    collection_id INTEGER NOT NULL,
    p_group INTEGER NOT NULL,
    q_group INTEGER NOT NULL,
    p_id INTEGER NOT NULL,
    q_id INTEGER NOT NULL,
    match_count INTEGER NOT NULL,
    consensus TEXT,                  -- JSON: consensusSetData
    points BLOB,                     -- see matches.py: packed_points
    UNIQUE (collection_id, p_group, q_group, p_id, q_id)
);
CREATE INDEX match_pair_by_q ON match_pair (collection_id, q_group, p_group, q_id);
CREATE INDEX match_pair_of_sets ON match_pair (collection_id, p_group, q_group) WHERE consensus IS NOT NULL;

CREATE TABLE match_trial (
    trial_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    trial TEXT NOT NULL
);
