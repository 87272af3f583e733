//! The `waxseal` command.
