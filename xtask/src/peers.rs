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
    /// A command that succeeds if it is there; its first line is the version. (`python3 -S`: not some other version
    /// that somebody installed for all of Python.)
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
        what_for: "a SUT, the witness of positives, the differential tests",
    },
    Peer {
        name: "bouncycastle",
        is_sut: true,
        packages: &["default-jdk-headless", "libbcmail-java", "libbcpkix-java"],
        build: None,
        // A library states no version; the name of its file does.
        probe: &["sh", "-c", "javac -version >&2 && cd /usr/share/java && ls bcmail-*.jar && ls bcpkix-*.jar"],
        what_for: "a SUT, the witness of what openssl does not know",
    },
    Peer {
        name: "gmssl",
        is_sut: true,
        packages: &["cmake", "gcc", "make", "python3-pip"],
        build: Some(built::gmssl),
        probe: &["sh", "-c", "test -x target/peers/gmssl/bin/gmssl-helper && target/peers/gmssl/bin/gmssl version"],
        what_for: "a SUT with the one dialect of GM/T 0010 that no other program speaks",
    },
    Peer {
        name: "gpgsm",
        is_sut: true,
        packages: &["gpgsm", "gpg-agent"],
        build: None,
        probe: &["sh", "-c", "gpgsm --version && gpg-agent --version"],
        what_for: "a SUT with a CMS library of its own (libksba)",
    },
    Peer {
        name: "nss",
        is_sut: true,
        packages: &["libnss3-tools", "libfaketime", "openssl"],
        build: None,
        // It states its version only in the library.
        probe: &["sh", "-c", "command -v cmsutil && command -v certutil && command -v pk12util"],
        what_for: "a SUT with the library of Mozilla's programs",
    },
    Peer {
        name: "s-nail",
        is_sut: true,
        packages: &["s-nail", "libfaketime"],
        build: None,
        probe: &["s-nail", "--version"],
        what_for: "a SUT that is a mail program without a screen",
    },
    Peer {
        name: "crypt-smime",
        is_sut: true,
        packages: &["libcrypt-smime-perl"],
        build: None,
        probe: &["perl", "-MCrypt::SMIME", "-e", "print $Crypt::SMIME::VERSION"],
        what_for: "a SUT: OpenSSL's CMS as Perl sees it",
    },
    Peer {
        name: "php",
        is_sut: true,
        packages: &["php-cli"],
        build: None,
        probe: &["php", "-r", "function_exists('openssl_cms_verify') || exit(1); echo PHP_VERSION;"],
        what_for: "a SUT: OpenSSL's CMS as PHP sees it",
    },
    Peer {
        name: "ruby",
        is_sut: true,
        packages: &["ruby"],
        build: None,
        probe: &["ruby", "-ropenssl", "-e", "puts OpenSSL::VERSION"],
        what_for: "a SUT: OpenSSL's PKCS #7 as Ruby sees it",
    },
    Peer {
        name: "libfaketime",
        is_sut: false,
        packages: &["libfaketime"],
        build: None,
        probe: &["sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"],
        what_for: "a clock for SUTs that cannot be told the time: without it no case with a fixed time is asked of them",
    },
    Peer {
        name: "pyca",
        is_sut: true,
        packages: &["python3-pip"],
        build: Some(built::pyca),
        probe: &[
            "sh",
            "-c",
            "PYTHONPATH=target/peers/pyca python3 -S -c 'import cryptography; print(cryptography.__version__)'",
        ],
        what_for: "a SUT: the writer and decrypter of Python's programs, with a strict reader of DER",
    },
    Peer {
        name: "m2crypto",
        is_sut: true,
        packages: &["gcc", "libssl-dev", "python3-dev", "python3-pip", "swig"],
        build: Some(built::m2crypto),
        probe: &[
            "sh",
            "-c",
            "PYTHONPATH=target/peers/m2crypto python3 -S -c 'import M2Crypto; print(M2Crypto.__version__)'",
        ],
        what_for: "a SUT: OpenSSL's PKCS #7 as Python sees it",
    },
    Peer {
        name: "tongsuo",
        is_sut: true,
        packages: &["python3-pip"],
        build: Some(built::tongsuo),
        probe: &[
            "sh",
            "-c",
            "PYTHONPATH=target/peers/tongsuo python3 -S -c 'import tongsuopy; print(tongsuopy.__version__)'",
        ],
        what_for: "a SUT, and a second writer of SignedData with SM2",
    },
    Peer {
        name: "node-forge",
        is_sut: true,
        packages: &["nodejs", "npm"],
        build: Some(built::node),
        probe: &["sh", "-c", "node -p \"require('./target/peers/node/node_modules/node-forge/package.json').version\""],
        what_for: "a SUT: the writer and decrypter of programs in JavaScript",
    },
    Peer {
        name: "pkijs",
        is_sut: true,
        packages: &["nodejs", "npm"],
        build: Some(built::node),
        probe: &["sh", "-c", "node -p \"require('./target/peers/node/node_modules/pkijs/package.json').version\""],
        what_for: "a SUT: a CMS of its own, on WebCrypto",
    },
    Peer {
        name: "ip",
        is_sut: false,
        packages: &["iproute2", "mount", "util-linux"],
        build: None,
        probe: &["sh", "-c", "ip -V && unshare --version"],
        what_for: "a place without a network, for programs that listen on all addresses",
    },
    Peer {
        name: "curl",
        is_sut: false,
        packages: &["curl"],
        build: None,
        probe: &["curl", "--version"],
        what_for: "the client of the mail servers: SMTP, IMAP and POP3, with and without TLS",
    },
    Peer {
        name: "postfix",
        is_sut: false,
        packages: &["postfix"],
        build: None,
        probe: &["sh", "-c", "PATH=$PATH:/usr/sbin postconf -h mail_version"],
        what_for: "SMTP as it is: what survives it, and what it does to long lines and to 8bit",
    },
    Peer {
        name: "dovecot",
        is_sut: false,
        packages: &["dovecot-imapd", "dovecot-lmtpd", "dovecot-pop3d"],
        build: None,
        probe: &["sh", "-c", "PATH=$PATH:/usr/sbin dovecot --version && cd /usr/lib/dovecot && ls imap lmtp pop3"],
        what_for: "IMAP and POP3 as they are: what comes back of a mail that was stored",
    },
    Peer {
        name: "pcscd",
        is_sut: false,
        packages: &["pcscd"],
        build: None,
        probe: &["pcscd", "--version"],
        what_for: "the card behind PC/SC, and everything that stands on it",
    },
    Peer {
        name: "vsmartcard-vpcd",
        is_sut: false,
        packages: &["vsmartcard-vpcd"],
        build: None,
        probe: &["sh", "-c", "ls /usr/lib/pcsc/drivers/serial/libifdvpcd.so* && test -f /etc/reader.conf.d/vpcd"],
        what_for: "the reader of PC/SC that our card is put into",
    },
    Peer {
        name: "opensc",
        is_sut: false,
        packages: &["opensc"],
        build: None,
        probe: &["opensc-tool", "--info"],
        what_for: "opensc-tool, pkcs15-tool, pkcs11-tool on our card",
    },
    Peer {
        name: "opensc-pkcs11",
        is_sut: false,
        packages: &["opensc-pkcs11"],
        build: None,
        probe: &["sh", "-c", "ls /usr/lib/*/opensc-pkcs11.so"],
        what_for: "the card in programs that speak PKCS #11: openssl, Thunderbird",
    },
    Peer {
        name: "pcsc-tools",
        is_sut: false,
        packages: &["pcsc-tools"],
        build: None,
        probe: &["sh", "-c", "command -v pcsc_scan"],
        what_for: "pcsc_scan, to look at readers by hand",
    },
    Peer {
        name: "libpcsclite-dev",
        is_sut: false,
        packages: &["libpcsclite-dev", "pkgconf"],
        build: None,
        probe: &["pkg-config", "--modversion", "libpcsclite"],
        what_for: "the feature pcsc: our own reader side through PC/SC",
    },
    Peer {
        name: "yubico-piv-tool",
        is_sut: false,
        packages: &["yubico-piv-tool"],
        build: None,
        probe: &["yubico-piv-tool", "--version"],
        what_for: "a second program that knows PIV",
    },
    Peer {
        name: "libengine-pkcs11-openssl",
        is_sut: false,
        packages: &["libengine-pkcs11-openssl", "openssl"],
        build: None,
        probe: &["sh", "-c", "openssl engine -t pkcs11 | grep -B 1 -F '[ available ]'"],
        what_for: "openssl cms with keys on our card",
    },
    Peer {
        name: "libnss3-tools",
        is_sut: false,
        packages: &["libnss3-tools"],
        build: None,
        probe: &["sh", "-c", "command -v certutil && command -v modutil"],
        what_for: "the profile of Thunderbird",
    },
    Peer {
        name: "tnef",
        is_sut: false,
        packages: &["tnef"],
        build: None,
        // It states its version as if it were an error.
        probe: &["sh", "-c", "tnef --version 2>&1"],
        what_for: "a second reader of winmail.dat",
    },
    Peer {
        name: "ytnef",
        is_sut: false,
        packages: &["ytnef-tools"],
        build: None,
        probe: &["ytnef", "-h"],
        what_for: "a third reader of winmail.dat, which looks at its checksums",
    },
    Peer {
        name: "msgconvert",
        is_sut: false,
        packages: &["libemail-outlook-message-perl"],
        build: None,
        probe: &[
            "sh",
            "-c",
            "command -v msgconvert >&2 && perl -MEmail::Outlook::Message -e 'print $Email::Outlook::Message::VERSION'",
        ],
        what_for: "a second reader of .msg",
    },
    Peer {
        name: "thunderbird",
        is_sut: true,
        packages: &["thunderbird", "libnss3-tools"],
        build: None,
        probe: &["thunderbird", "--version"],
        what_for: "a mail program as a SUT, and one that signs and decrypts with our card",
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
        let packages: Vec<_> =
            missing.iter().flat_map(|peer| peer.packages).copied().filter(|name| !has(name)).collect();
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

/// Packages whose program may be there from elsewhere, and which then refuse to stand beside it.
const FROM_ELSEWHERE: &[(&str, &str)] = &[("nodejs", "node"), ("npm", "npm")];

/// Whether what a package is for is there without it.
fn has(package: &str) -> bool {
    let stands_in = FROM_ELSEWHERE.iter().find(|(name, _)| *name == package);
    stands_in.is_some_and(|(_, command)| output(program(command).arg("--version")).is_ok())
}

fn apt() -> std::process::Command {
    let mut command = program("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}
