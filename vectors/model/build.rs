//! The corpus is compiled into the crate: a changed or new data file makes it anew.

fn main() {
    for data in ["cases", "catalogue", "exchanges", "pki", "requirements.toml"] {
        println!("cargo::rerun-if-changed=../{data}");
    }
}
