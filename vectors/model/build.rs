//! The corpus is compiled into the crate: a changed or new data file makes it anew.

fn main() {
    for data in
        ["cases", "catalogue", "clients", "exchanges", "matrix.toml", "pki", "recorded", "requirements.toml", "shapes"]
    {
        println!("cargo::rerun-if-changed=../{data}");
    }
}
