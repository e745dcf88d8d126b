//! Shape of the run database. Steps are only ever added; each brings a database of the version before it up by one.
//!
//! Every table but `runs` carries `run`, the number of the run it belongs to, and goes when that run goes. Times are
//! RFC 3339 text in UTC, booleans 0 and 1, lists JSON; `NULL` is unknown.
//!
//! | table | columns |
//! |---|---|
//! | `runs` | `number` in order of saving, `id`, `now`, `tool_version`, `rules_digest`, `policy_digest`, `fingerprint_key`, `complete`, `inputs`, counts `identities`, `credentials`, `findings`, sums `standing_risk`, `standing_risk_after`, and `report`: the whole report as JSON, compressed with zlib |
//! | `identities` | `id`, `provider`, `type`, `name`, `native_id`, `account`, `environment`, `owner`, `owner_source`, `human`, `consumer_class`, `tier`, `admin` |
//! | `credentials` | `id`, `provider`, `type`, `public_id`, `identity`, `account`, `status`, `created_at`, `last_used_at`, `expires_at`, `storage`, `sightings` (their number) |
//! | `findings` | `id`, `rule`, `severity`, `severity_rank` (4 critical to 0 info), `confidence`, `status`, `title`, `identity`, `credential`, and of the primary location `repository`, `uri`, `line` |
//! | `assessments` | `id`, `identity`, `credential`, `risk`, `band`, `vector`, `fit`, `disposition`, `confidence`, `target`, `ttl_seconds`, `risk_after` |
//! | `plan_items` | `id`, `wave`, `position`, `assessment`, `identity`, `credential`, `disposition`, `mechanism`, `ttl_seconds`, `risk_before`, `risk_after` |
//! | `coverage` | `source`, `unit`, `status`, `reason` |
//! | `accounts` | `packed`: the AWS accounts of the run with their policies as JSON, compressed with zlib; what `can` and `who-can` ask |

/// Marks the file as a run database (`PRAGMA application_id`): the letters `ovst`.
pub(super) const APPLICATION_ID: i32 = 0x6f76_7374;

/// One step a version; the version is the number of steps applied (`PRAGMA user_version`).
pub(super) const STEPS: &[&str] = &["
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        now TEXT NOT NULL,
        tool_version TEXT NOT NULL,
        rules_digest TEXT NOT NULL,
        policy_digest TEXT NOT NULL,
        fingerprint_key TEXT NOT NULL,
        complete INTEGER NOT NULL,
        inputs TEXT NOT NULL,
        identities INTEGER NOT NULL,
        credentials INTEGER NOT NULL,
        findings INTEGER NOT NULL,
        standing_risk INTEGER NOT NULL,
        standing_risk_after INTEGER NOT NULL,
        report BLOB NOT NULL
    ) STRICT;
    CREATE TABLE identities (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        id TEXT NOT NULL, provider TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,
        native_id TEXT NOT NULL, account TEXT, environment TEXT NOT NULL, owner TEXT,
        owner_source TEXT NOT NULL, human INTEGER NOT NULL, consumer_class TEXT NOT NULL,
        tier INTEGER NOT NULL, admin INTEGER NOT NULL,
        PRIMARY KEY (run, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE credentials (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        id TEXT NOT NULL, provider TEXT NOT NULL, type TEXT NOT NULL, public_id TEXT,
        identity TEXT, account TEXT, status TEXT NOT NULL, created_at TEXT, last_used_at TEXT,
        expires_at TEXT, storage TEXT NOT NULL, sightings INTEGER NOT NULL,
        PRIMARY KEY (run, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE findings (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        id TEXT NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL, severity_rank INTEGER NOT NULL,
        confidence TEXT NOT NULL, status TEXT NOT NULL, title TEXT NOT NULL, identity TEXT,
        credential TEXT, repository TEXT, uri TEXT, line INTEGER,
        PRIMARY KEY (run, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE assessments (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        id TEXT NOT NULL, identity TEXT, credential TEXT, risk INTEGER NOT NULL, band TEXT NOT NULL,
        vector TEXT NOT NULL, fit INTEGER NOT NULL, disposition TEXT NOT NULL, confidence TEXT NOT NULL,
        target TEXT, ttl_seconds INTEGER, risk_after INTEGER NOT NULL,
        PRIMARY KEY (run, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE plan_items (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        id TEXT NOT NULL, wave INTEGER NOT NULL, position INTEGER NOT NULL, assessment TEXT NOT NULL,
        identity TEXT, credential TEXT, disposition TEXT NOT NULL, mechanism TEXT NOT NULL,
        ttl_seconds INTEGER, risk_before INTEGER NOT NULL, risk_after INTEGER NOT NULL,
        PRIMARY KEY (run, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE coverage (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        source TEXT NOT NULL, unit TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX coverage_run ON coverage(run);
    CREATE INDEX findings_id ON findings(id);
", "
    CREATE TABLE accounts (
        run INTEGER PRIMARY KEY REFERENCES runs(number) ON DELETE CASCADE,
        packed BLOB NOT NULL
    ) STRICT;
", "
    ALTER TABLE runs ADD COLUMN seconds INTEGER NOT NULL DEFAULT 0;
    UPDATE runs SET seconds = CAST(strftime('%s', now) AS INTEGER);
    ALTER TABLE runs ADD COLUMN scope TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN reading TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN known BLOB;
    ALTER TABLE runs ADD COLUMN reach BLOB;
    CREATE INDEX runs_seconds ON runs(seconds);
    CREATE TABLE ledger (
        id TEXT PRIMARY KEY,
        rule TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT NULL, severity_rank INTEGER NOT NULL,
        identity TEXT, credential TEXT, repository TEXT, uri TEXT,
        status TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, last_run TEXT NOT NULL,
        known TEXT NOT NULL, before TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX ledger_last_run ON ledger(last_run);
    CREATE TABLE trend (
        run TEXT PRIMARY KEY, number INTEGER NOT NULL, now TEXT NOT NULL, complete INTEGER NOT NULL,
        standing_risk INTEGER NOT NULL, standing_risk_after INTEGER NOT NULL,
        machine_identities INTEGER NOT NULL, credentials INTEGER NOT NULL, long_lived INTEGER NOT NULL,
        mean_age_days REAL, open INTEGER NOT NULL, critical INTEGER NOT NULL, high INTEGER NOT NULL,
        accepted INTEGER NOT NULL, new INTEGER NOT NULL, fixed INTEGER NOT NULL,
        plan_open INTEGER NOT NULL, plan_done INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE plan_ledger (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, mechanism TEXT NOT NULL, scope TEXT NOT NULL,
        first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, done_at TEXT, done_in TEXT
    ) STRICT, WITHOUT ROWID;
", "
    CREATE TABLE scanned (
        kind TEXT NOT NULL, place TEXT NOT NULL, digest TEXT NOT NULL,
        documents INTEGER NOT NULL, of_interest INTEGER NOT NULL, commits INTEGER NOT NULL,
        asked INTEGER NOT NULL, packed BLOB NOT NULL,
        PRIMARY KEY (kind, place)
    ) STRICT;
", "
    CREATE TABLE parts (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        list TEXT NOT NULL, part INTEGER NOT NULL, packed BLOB NOT NULL,
        UNIQUE (run, list, part)
    ) STRICT;
", "
    CREATE TABLE progress (
        run INTEGER PRIMARY KEY REFERENCES runs(number) ON DELETE CASCADE,
        packed BLOB NOT NULL
    ) STRICT;
    DROP TABLE plan_ledger;
", "
    CREATE TABLE aliases (
        id TEXT PRIMARY KEY, known_as TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
", "
    ALTER TABLE parts ADD COLUMN digest BLOB;
", "
    DROP INDEX ledger_last_run;
    ALTER TABLE ledger RENAME TO ledger_before;
    CREATE TABLE ledger (
        id TEXT NOT NULL PRIMARY KEY,
        rule TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT NULL, severity_rank INTEGER NOT NULL,
        identity TEXT, credential TEXT, repository TEXT, uri TEXT,
        status TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, last_run TEXT NOT NULL,
        known TEXT NOT NULL, before TEXT, told TEXT NOT NULL
    ) STRICT;
    INSERT INTO ledger
        SELECT id, rule, title, severity, severity_rank, identity, credential, repository, uri,
            status, first_seen, last_seen, last_run,
            CASE WHEN json_valid(known) THEN json_remove(known, '$.told') ELSE known END, before,
            CASE WHEN json_valid(known) THEN coalesce(json_extract(known, '$.told'), '') ELSE '' END
        FROM ledger_before;
    DROP TABLE ledger_before;
    CREATE INDEX ledger_last_run ON ledger(last_run);
", "
    CREATE TABLE pieces (
        number INTEGER PRIMARY KEY, digest BLOB, packed BLOB NOT NULL
    ) STRICT;
    INSERT INTO pieces SELECT min(rowid), digest, packed FROM parts GROUP BY coalesce(digest, rowid);
    CREATE INDEX pieces_digest ON pieces(digest);
    ALTER TABLE parts RENAME TO parts_before;
    CREATE TABLE parts (
        run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
        list TEXT NOT NULL, part INTEGER NOT NULL, piece INTEGER NOT NULL,
        PRIMARY KEY (run, list, part)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO parts
        SELECT run, list, part,
            coalesce((SELECT number FROM pieces WHERE pieces.digest = parts_before.digest), parts_before.rowid)
        FROM parts_before;
    INSERT INTO pieces
        SELECT run + (SELECT coalesce(max(rowid), 0) FROM parts_before), NULL, packed FROM progress;
    INSERT INTO parts
        SELECT run, 'progress', 0, run + (SELECT coalesce(max(rowid), 0) FROM parts_before) FROM progress;
    DROP TABLE progress;
    DROP TABLE parts_before;
    DROP INDEX pieces_digest;
    CREATE TABLE told (
        id TEXT NOT NULL PRIMARY KEY, digest BLOB, finding TEXT NOT NULL
    ) STRICT;
    INSERT INTO told SELECT id, NULL, told FROM ledger;
    DROP INDEX ledger_last_run;
    ALTER TABLE ledger RENAME TO ledger_before;
    CREATE TABLE ledger (
        id TEXT NOT NULL PRIMARY KEY,
        rule TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT NULL, severity_rank INTEGER NOT NULL,
        identity TEXT, credential TEXT, repository TEXT, uri TEXT,
        status TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, last_run TEXT NOT NULL,
        known TEXT NOT NULL, before TEXT
    ) STRICT;
    INSERT INTO ledger
        SELECT id, rule, title, severity, severity_rank, identity, credential, repository, uri,
            status, first_seen, last_seen, last_run, known, before
        FROM ledger_before;
    DROP TABLE ledger_before;
    CREATE INDEX ledger_last_run ON ledger(last_run);
"];
