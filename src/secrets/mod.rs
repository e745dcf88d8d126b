//! Text engine: bytes to sightings of credentials.
