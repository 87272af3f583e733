//! Certificates: paths and identities.
