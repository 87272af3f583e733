//! The annotated trees of a message.
