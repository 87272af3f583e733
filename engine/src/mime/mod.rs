//! MIME entities as exact byte ranges.
