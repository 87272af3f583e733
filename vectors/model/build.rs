//! The corpus is compiled into the crate: a changed or new data file makes it anew.

fn main() {
    for data in [
        "cases",
        "catalogue",
        "clients",
        "exchanges",
        "matrix.toml",
        "peers.toml",
        "pki",
        "recorded",
        "recording-files.toml",
        "requirements.toml",
        "shapes",
        "transport.toml",
    ] {
        println!("cargo::rerun-if-changed=../{data}");
    }
}
