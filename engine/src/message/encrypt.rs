//! Encrypting an entity.
