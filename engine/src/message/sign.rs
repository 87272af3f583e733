//! Signing an entity.
