//! The programs that tests and runs talk to, in one table.

use std::process::Stdio;

use crate::built;
use crate::run::{output, program, visible};

/// A program beside Waxseal: how it is found, and how it gets onto a machine.
pub(crate) struct Peer {
    /// Its name as a SUT, as `waxseal run` knows it, if it is one.
    pub(crate) name: &'static str,
    /// Whether it is one; else tests alone talk to it.
    pub(crate) is_sut: bool,
    /// The Debian packages that hold it, or what builds it.
    packages: &'static [&'static str],
    /// Puts it under `target/peers`, after the packages are there.
    build: Option<fn() -> Result<(), String>>,
    /// A command that succeeds if it is there; its first line is the version.
    probe: &'static [&'static str],
    /// What tests lose without it.
    what_for: &'static str,
}

/// Every peer. A row here is a promise: `cargo xtask test --install` fails if
/// the harness does not admit the SUT afterwards.
pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "openssl",
        is_sut: true,
        packages: &["openssl"],
        build: None,
        probe: &["openssl", "version"],
        what_for: "the second SUT, the witness of positives, the differential tests",
    },
    Peer {
        name: "bouncycastle",
        is_sut: true,
        packages: &["default-jdk-headless", "libbcmail-java", "libbcpkix-java"],
        build: None,
        // A library states no version; the name of its file does.
        probe: &["sh", "-c", "javac -version >&2 && cd /usr/share/java && ls bcmail-*.jar && ls bcpkix-*.jar"],
        what_for: "the third SUT, the witness of what openssl does not know",
    },
    Peer {
        name: "gmssl",
        is_sut: true,
        packages: &["cmake", "gcc", "make", "python3-pip"],
        build: Some(built::gmssl),
        probe: &["sh", "-c", "test -x target/peers/gmssl/bin/gmssl-helper && target/peers/gmssl/bin/gmssl version"],
        what_for: "the fourth SUT, the one dialect of GM/T 0010 that no other program speaks",
    },
    Peer {
        name: "tongsuo",
        is_sut: false,
        packages: &["python3-pip"],
        build: Some(built::tongsuo),
        probe: &[
            "sh",
            "-c",
            "PYTHONPATH=target/peers/tongsuo python3 -c 'import tongsuopy; print(tongsuopy.__version__)'",
        ],
        what_for: "a second writer of SignedData with SM2",
    },
];

impl Peer {
    /// The version it states, if it is there.
    pub(crate) fn version(&self) -> Option<String> {
        let (name, arguments) = self.probe.split_first()?;
        let text = output(program(name).args(arguments).stderr(Stdio::null())).ok()?;
        text.lines().next().map(|line| line.trim().to_owned())
    }
}

/// The peers of the table that are on this machine, each named in one line.
///
/// With `install`, those that are missing are installed first.
///
/// # Errors
/// If a peer cannot be installed, or is still not there afterwards.
pub(crate) fn prepare(install: bool) -> Result<Vec<&'static Peer>, String> {
    let missing: Vec<_> = PEERS.iter().filter(|peer| peer.version().is_none()).collect();
    if install && !missing.is_empty() {
        let packages: Vec<_> = missing.iter().flat_map(|peer| peer.packages).copied().collect();
        println!("installing {}", packages.join(", "));
        visible(apt().arg("update"))?;
        visible(apt().args(["install", "--yes", "--no-install-recommends"]).args(&packages))?;
        missing.iter().filter_map(|peer| peer.build).try_for_each(|build| build())?;
    }
    let mut present = Vec::new();
    for peer in PEERS {
        match peer.version() {
            Some(version) => {
                println!("peer {}: {version}", peer.name);
                present.push(peer);
            }
            None if install => {
                return Err(format!("peer {}: installed, but {:?} does not run", peer.name, peer.probe.join(" ")));
            }
            None => println!("peer {}: not here (package {}): {}", peer.name, peer.packages.join(", "), peer.what_for),
        }
    }
    Ok(present)
}

fn apt() -> std::process::Command {
    let mut command = program("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}
