//! Features of the workspace that need something of the machine.

use crate::run::{output, program};

/// What `cargo` is told for all of the workspace: one set of features, so that
/// nothing is compiled twice.
pub(crate) fn arguments() -> &'static [&'static str] {
    if has_pcsc() { &["--features", "waxseal/pcsc"] } else { &[] }
}

/// Whether readers of PC/SC can be built in.
pub(crate) fn has_pcsc() -> bool {
    output(program("pkg-config").args(["--exists", "libpcsclite"])).is_ok()
}
